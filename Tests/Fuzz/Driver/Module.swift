// A target of one file would be compiled as a program with a main of its own; libFuzzer brings the main.
