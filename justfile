# The habits of this project. `just` lists them.
_:
    @just --list

# A whole small shop, and its playbooks run over some days
demo:
    winback demo

# Everything that CI runs
ci:
    bash .ci/run

test *ARGS:
    python -m pytest {{ARGS}}

# Linters, types, import contracts
lint:
    ruff check .
    ruff format --check .
    mypy
    lint-imports

fmt:
    ruff format .
    ruff check --fix .
    winback fmt playbooks

# docs/errors.md, out of the compiler's codes and the examples in dsl/mistakes
errors:
    python -m docs.errors

# Kill workers at random, and count at the provider
kill KILLS="200":
    python -m tests.faults.kill_loop --kills {{KILLS}}

# The colours of editors, out of the grammar
grammar:
    python -m dsl.lsp.textmate editors/vscode/syntaxes/playbook.tmLanguage.json

# A year of journeys in five zones, against a look at the clocks
year PEOPLE="10000":
    python -m tests.acceptance.year --people {{PEOPLE}}
