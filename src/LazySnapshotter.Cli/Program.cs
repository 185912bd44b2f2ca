using LazySnapshotter.Cli;
using LazySnapshotter.Cli.Output;

StandardStream.TakeOverConsole();

// What ends a thread nobody waits for ends the process, but not with a stack trace.
AppDomain.CurrentDomain.UnhandledException += (_, unhandled) => Environment.Exit(Failure.Report((Exception)unhandled.ExceptionObject));

var exitCode = await CommandLine.RunAsync(args);
try
{
    StandardStream.Output.Finish();
    return exitCode;
}
catch (OutputException e)
{
    return Failure.Report(e);
}
