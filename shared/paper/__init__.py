"""Documents on paper: what is to be printed as plain data, and the PDF that it becomes."""
