"""The state of the runtime, one module for each owner. Loops get only the parts that they need."""
