namespace LazySnapshotter.TestSupport.Processes;

// What a finished program left: its exit code and everything it wrote.
public sealed record ProcessResult(string CommandLine, int ExitCode, string Output, string Error, TimeSpan Duration)
{
    /// <summary>This result, if the exit code is 0.</summary>
    /// <exception cref="ProcessFailedException">Otherwise; the message has all the program said.</exception>
    public ProcessResult Checked() => ExitCode == 0 ? this : throw new ProcessFailedException(this);

    public override string ToString() => $"{CommandLine}\nexit code {ExitCode} after {Duration.TotalSeconds:F1} s\n{Output}{Error}";
}

public sealed class ProcessFailedException(ProcessResult result) : Exception(result.ToString())
{
    public ProcessResult Result { get; } = result;
}
