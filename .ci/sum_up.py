"""Adds up test results: sum_up.py FOLDER PROJECT... reads FOLDER/PROJECT.trx of each. Exit status 1 unless all passed."""
import pathlib
import sys
import xml.etree.ElementTree

NAMESPACE = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
folder, projects = pathlib.Path(sys.argv[1]), sys.argv[2:]
passed_sum = failed_sum = 0
for project in projects:
    passed = failed = 0
    note = ""
    try:
        root = xml.etree.ElementTree.parse(folder / (project + ".trx")).getroot()
        counters = root.find(f".//{NAMESPACE}Counters")
        total, passed = int(counters.get("total")), int(counters.get("passed"))
        skipped = total - int(counters.get("executed"))
        # Failed, aborted, timed out: whatever was to run and did not pass.
        failed = total - passed - skipped
        if skipped:
            note = f", {skipped} skipped"
    except (OSError, xml.etree.ElementTree.ParseError, AttributeError):
        failed, note = 1, " (no result: the project did not run to its end)"
    # A crash of the test host can leave a result file in which nothing failed.
    if failed == 0 and (passed == 0 or (folder / (project + ".failed")).exists()):
        failed, note = 1, note + " (the test run itself failed)"
    print(f"{project:44} {passed:5} passed {failed:5} failed{note}")
    passed_sum += passed
    failed_sum += failed
if not projects:
    print("no test project was found")
    failed_sum = 1
print(f"{passed_sum} passed, {failed_sum} failed")
sys.exit(failed_sum != 0)
