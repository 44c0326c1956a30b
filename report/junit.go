package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
		Output    string      `xml:"system-out"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		ClassName string       `xml:"classname,attr"`
		File      string       `xml:"file,attr,omitempty"`
		Line      int          `xml:"line,attr,omitempty"`
		Time      string       `xml:"time,attr"`
		Failure   *junitDetail `xml:"failure"`
		Error     *junitDetail `xml:"error"`
		Skipped   *junitDetail `xml:"skipped"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// renderJUnit writes one test suite: a failed case a finding, a skipped one an accepted
// finding, an error a problem, and a passed case when there is none of them, since
// some readers take an empty suite for a broken one. It keeps to the elements that
// Jenkins, GitLab and others have in common.
func renderJUnit(r finding.Report, _ Options) ([]byte, error) {
	s := r.Summary
	suite := junitSuite{
		Name:      "b10lint " + cmp.Or(visible(r.Run.Command), "scan"),
		Time:      seconds(s.Elapsed),
		Timestamp: gitlabTime(r.Run.Started),
		Output:    "Scanned " + scanned(s) + ".\n",
	}
	for _, f := range r.Findings {
		suite.add(junitFinding(f))
	}
	for _, p := range r.Problems {
		if p.Warning {
			suite.Output += "warning: " + ProblemText(p) + "\n"
			continue
		}
		suite.add(junitCase{Name: ProblemText(p), ClassName: "b10lint.incomplete", Error: &junitDetail{
			Message: ProblemText(p), Type: "incomplete", Text: visible(p.Hint),
		}})
	}
	if s.Interrupted || !s.Complete && suite.Errors == 0 {
		suite.add(junitCase{Name: "complete", ClassName: "b10lint.incomplete", Error: &junitDetail{
			Message: "The run could not read everything.", Type: "incomplete",
		}})
	}
	if suite.Tests == 0 {
		suite.add(junitCase{Name: "nothing found", ClassName: "b10lint"})
	}
	if left := leftOut(s); left != "" {
		suite.Output += "Not listed: " + left + ".\n"
	}
	if len(acceptable(r)) > 0 {
		suite.Output += "To accept a finding: " + acceptURL + "\n"
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (s *junitSuite) add(c junitCase) {
	c.Time = seconds(0)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitFinding(f finding.Finding) junitCase {
	places := arrange(f.Locations)
	c := junitCase{Name: subject(f), ClassName: "b10lint." + visible(f.Rule)}
	if len(places) > 0 {
		c.Name = place(places[0])
		if f.Prefix != "" {
			c.Name = visible(f.Prefix) + " in " + c.Name
		}
		c.File = visible(places[0].Path)
		if places[0].Member == "" {
			c.Line = max(places[0].Line, 0)
		}
	}
	if f.Suppression != nil {
		c.Skipped = &junitDetail{Message: "accepted: " + suppression(f.Suppression)}
		return c
	}
	var text []string
	add := func(label, value string) {
		if value != "" {
			text = append(text, label+value)
		}
	}
	for i, l := range places {
		if i > shownLines {
			add("", fmt.Sprintf("and %d more places", len(places)-i))
			break
		}
		add("", described(l, ", ", ""))
	}
	add("state: ", liveness(f.Liveness))
	add("key: ", keyFacts(f.Key))
	add("advice: ", visible(f.Advice))
	c.Failure = &junitDetail{Message: visible(f.Message), Type: f.Severity.String(), Text: strings.Join(text, "\n")}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }
