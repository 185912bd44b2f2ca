using System.Diagnostics;
using System.Text;

namespace LazySnapshotter.TestSupport.Processes;

// A server that runs beside a test: started here, watched until it is ready, ended here and only by its own pid. What it
// writes is kept, because a failed test without the server's log explains nothing.
public sealed class BackgroundProcess : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly string _commandLine;
    private readonly StringBuilder _log = new();
    private bool _disposed;

    private BackgroundProcess(Process process)
    {
        _process = process;
        _commandLine = ProcessRunner.Describe(process.StartInfo);
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything written so far, standard output and error mixed as they came.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    public static BackgroundProcess Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var background = new BackgroundProcess(new Process { StartInfo = ProcessRunner.CreateStartInfo(program, arguments, environment) });
        background._process.Start();
        background._process.StandardInput.Close();
        background._process.BeginOutputReadLine();
        background._process.BeginErrorReadLine();
        return background;
    }

    /// <summary>Returns when the check says true; fails when the server ends before, or takes too long.</summary>
    public async Task WaitUntilAsync(string what, Func<Task<bool>> check, TimeSpan timeout)
    {
        var watch = Stopwatch.StartNew();
        while (!await check())
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"{_commandLine}\nended with {_process.ExitCode} before {what}\n{Log}");
            if (watch.Elapsed > timeout)
                throw new TimeoutException($"{_commandLine}\nnot {what} after {timeout.TotalSeconds:F0} s\n{Log}");
            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Asks politely (SIGTERM), then kills.</summary>
    /// <returns>The exit code; 137 where it had to be killed.</returns>
    public async Task<int> StopAsync(TimeSpan timeout)
    {
        if (!_process.HasExited)
            Signals.Send(_process.Id, Signals.SIGTERM);
        try
        {
            using var deadline = new CancellationTokenSource(timeout);
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
        }

        return _process.ExitCode;
    }

    /// <summary>SIGKILL: what a crash looks like from outside. Its children live on.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            Signals.Send(_process.Id, Signals.SIGKILL);
        using var deadline = new CancellationTokenSource(KillTimeout);
        await _process.WaitForExitAsync(deadline.Token);
    }

    /// <summary>May be called again: tests end a server early that their cleanup ends, too.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private void Append(string? line)
    {
        if (line is null)
            return;
        lock (_log)
            _log.AppendLine(line);
    }
}
