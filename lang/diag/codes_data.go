package diag

// dataCodes are the rows of data files, E06xx. Their examples are files, which stand with the
// tests of package data.
var dataCodes = []Row{
	{
		Code: "E0600", Title: "a file cannot be read",
		Explanation: "The file does not exist, may not be read, or is larger than the limit. Paths in a file are relative to " +
			"that file; at the prompt, to the working directory.",
	},
	{
		Code: "E0601", Title: "a data file is empty",
		Explanation: "A table needs a line of column names and at least one row; comments and blank lines do not count.",
	},
	{
		Code: "E0602", Title: "a data file has no header",
		Explanation: "The first line must name the columns, since data are matched by name. A first line of numbers is " +
			"taken for a forgotten header, not for names.",
	},
	{
		Code: "E0603", Title: "two columns have one name",
		Explanation: "Columns are found by name, so each needs one of its own.",
	},
	{
		Code: "E0604", Title: "a row has too few or too many cells",
		Explanation: "Every row must have as many cells as the header. A missing value is an empty cell between its " +
			"delimiters. One cell too many is often a decimal comma, or a text that needs quotation marks.",
	},
	{
		Code: "E0605", Title: "a cell is not a number",
		Explanation: "A column in which some cell is a number is a column of numbers, and each of its cells must be one, " +
			"or be empty or NA when it is missing. Decimals have a point, and thousands no separator.",
	},
	{
		Code: "E0606", Title: "a datum is not finite",
		Explanation: "NaN and infinities are results of failed computations, not measurements. A value that was not " +
			"measured is an empty cell.",
	},
	{
		Code: "E0607", Title: "quotation marks in a cell do not match",
		Explanation: "A quoted cell ends at the next quotation mark, and only a delimiter or the end of the line may " +
			"follow; a quotation mark inside it is written twice.",
	},
	{
		Code: "E0608", Title: "no such column",
		Explanation: "The table has no column of that name. Names are compared as they are written, case included.",
	},
	{
		Code: "E0609", Title: "a column of texts is used as numbers",
		Explanation: "No cell of the column is a number, so that it was kept as texts, and nothing can be computed with it.",
	},
	{
		Code: "E0610", Title: "a data file is not a text in UTF-8",
		Explanation: "The file is binary, or in another encoding than UTF-8. A spreadsheet is to be exported as CSV.",
	},
	{
		Code: "E0611", Title: "a data file has no rows",
		Explanation: "There is a header, but no row of data below it.",
	},
}
