package source

// forward returns s, a decorator of src, with the optional interfaces of src.
func forward(s, src Source, locate func(Locator) Locator) Source {
	locator, locates := src.(Locator)
	coverer, covers := src.(Coverer)
	switch {
	case locates && covers:
		return struct {
			Source
			Locator
			Coverer
		}{s, locate(locator), coverer}
	case locates:
		return struct {
			Source
			Locator
		}{s, locate(locator)}
	case covers:
		return struct {
			Source
			Coverer
		}{s, coverer}
	}
	return s
}
