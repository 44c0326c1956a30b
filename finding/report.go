package finding

// A Report is all that one run says: what ran, over which targets, what was
// found, what kept it from being complete, and the numbers. It is a value: writers
// and commands are functions of it.
type Report struct {
	Run      Run
	Findings []Finding
	Problems []Problem
	Summary  Summary
}

// Emit passes r to h: Start, each finding, each problem, Finish.
func Emit(r Report, h Handler) error {
	if err := h.Start(r.Run); err != nil {
		return err
	}
	for _, f := range r.Findings {
		if err := h.Finding(f); err != nil {
			return err
		}
	}
	for _, p := range r.Problems {
		if err := h.Problem(p); err != nil {
			return err
		}
	}
	return h.Finish(r.Summary)
}
