from sluice_runtime.domain.write_summary import WriteSummary


def test_one_commit_is_described_without_a_remark_on_other_lines() -> None:
    summary = WriteSummary()
    summary.add("quotes", 1, "AAPL")
    assert summary.to_text() == "1 document (quotes: 1), first AAPL"
    assert summary.to_fields() == {"count": 1, "commits": 1, "symbol": "AAPL", "quotes": 1}


def test_several_commits_are_summed_by_kind_with_the_symbol_of_the_first() -> None:
    summary = WriteSummary()
    summary.add("quotes", 12, "AAPL")
    summary.add("records", 2, "MSFT")
    assert summary.to_text() == "14 documents (quotes: 12, records: 2), first AAPL; 1 other commit has no line"
    summary.add("quotes", 1, "SPY")
    assert summary.to_text() == "15 documents (quotes: 13, records: 2), first AAPL; 2 other commits have no line"
    assert summary.to_fields() == {"count": 15, "commits": 3, "symbol": "AAPL", "quotes": 13, "records": 2}


def test_a_document_of_the_whole_job_has_no_symbol() -> None:
    summary = WriteSummary()
    summary.add("gaps", 1, None)
    assert summary.to_text() == "1 document (gaps: 1)"
    assert summary.to_fields()["symbol"] is None


def test_a_further_document_of_a_commit_counts_no_commit() -> None:
    summary = WriteSummary()
    summary.add("quotes", 1, "AAPL", commits=0)
    assert summary.to_text() == "1 document (quotes: 1), first AAPL"
