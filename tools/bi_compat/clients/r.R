# R without a package for DuckDB: its command line, read by base R's read.csv through a pipe. No connection is held.
input <- file("stdin", "r")
text <- function(x) encodeString(x, quote = "\"")
listed <- function(x) paste0("[", paste(x, collapse = ", "), "]")
rows <- function(table) {  # exact to the bit
  cells <- lapply(table, function(x) if (is.numeric(x)) sprintf("%.17g", x) else text(x))
  listed(do.call(mapply, c(list(function(...) listed(c(...))), unname(cells))))
}
tell <- function(...) {
  told <- list(...)
  cat("BI {", paste0(text(names(told)), ": ", unlist(told), collapse = ", "), "}\n", sep = "")
  flush(stdout())
  invisible(readLines(input, n = 1))
}
duckdb <- Sys.getenv("BI_DUCKDB")
ask <- function(sql = Sys.getenv("BI_TOP"), ...) {
  read.csv(pipe(paste(duckdb, "-readonly -no-init -csv", Sys.getenv("BI_DATABASE"), shQuote(sql))), ...)
}
days <- c(period_start = "Date", population_vintage = "Date")

figures <- ask(colClasses = days)
kinds <- vapply(figures[c("rank", "offences", "rate_per_10k", "population_vintage")], function(x) class(x)[1], "")
said <- suppressWarnings(system2(duckdb, c("-readonly", "-no-init", Sys.getenv("BI_DATABASE"),
                                           shQuote("create table of_my_own (i integer)")), stdout = TRUE, stderr = TRUE))
version <- strsplit(system2(duckdb, "-version", stdout = TRUE), " ")[[1]][1]
tell(
  version = text(sprintf("R %s, DuckDB %s", getRversion(), version)),
  setting = text("read.csv(pipe(\"duckdb -readonly -csv PATH 'from …'\"))"),
  tables = listed(text(ask(Sys.getenv("BI_TABLES"))$table_name)), top = rows(ask()), types = text(paste(kinds, collapse = ", ")),
  macro = rows(ask(Sys.getenv("BI_MACRO"))), comments = text(""), refused = text(said[1])
)
tell(top = "null")
tell(ways = listed(listed(c(text("the next query"), rows(ask())))))
