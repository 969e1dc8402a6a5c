"""`python -m support.alpaca` starts the Alpaca simulator, as `python -m sluice_simulators.alpaca` does."""

import runpy

if __name__ == "__main__":
    runpy.run_module("sluice_simulators.alpaca", run_name="__main__", alter_sys=True)
