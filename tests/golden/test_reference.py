# SPDX-License-Identifier: BSD-2-Clause
"""docs/reference/ is what the program prints; `make docs` writes it."""
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPILLWAY = os.path.join(os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build")), "spillway")
PAGES = os.path.join(ROOT, "docs", "reference")


def reference(*args):
    """What `spillway reference` prints."""
    return subprocess.run([SPILLWAY, "reference", *args], capture_output=True, text=True,
                          check=False, timeout=30)


def names():
    """All pages."""
    return reference("--pages").stdout.split()


@pytest.mark.parametrize("name", names())
def test_a_page_is_what_the_program_prints(name):
    done = reference(name)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(PAGES, name + ".md"), encoding="utf8") as file:
        assert file.read() == done.stdout, "run `make docs`"


def test_there_are_no_other_pages():
    assert sorted(os.listdir(PAGES)) == sorted(name + ".md" for name in names())


@pytest.mark.parametrize("name", names())
def test_each_row_of_a_table_has_all_cells(name):
    wide = None
    for line in reference(name).stdout.splitlines():
        if not line.startswith("|"):
            wide = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        wide = wide or cells
        assert cells == wide, line


@pytest.mark.parametrize("name", names())
def test_links_lead_to_pages(name):
    text = re.sub(r"`[^`]*`", "", reference(name).stdout)  # patterns look like links
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert os.path.exists(os.path.join(PAGES, link)), link


def test_a_page_that_there_is_not_is_named():
    done = reference("unicorn")
    assert done.returncode == 1
    assert done.stderr == 'error: there is no page "unicorn"\n'
    assert reference().returncode == 1
