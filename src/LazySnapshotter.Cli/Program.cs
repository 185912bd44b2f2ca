using LazySnapshotter.Cli;

return await CommandLine.RunAsync(args);
