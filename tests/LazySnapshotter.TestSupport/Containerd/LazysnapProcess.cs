using System.Net.Sockets;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// `lazysnap serve` as a process of its own, the way users run it: it can be stopped, killed and started again on the
// same root. Its folder outlives those; disposing ends the process and detaches its mounts.
public sealed class LazysnapProcess : IAsyncDisposable
{
    public const string ProgramVariable = "LAZYSNAP_PROGRAM";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);

    private readonly TestDirectory _directory;
    private BackgroundProcess? _process;
    private string _earlierLogs = "";

    private LazysnapProcess(TestDirectory directory)
    {
        _directory = directory;
        Address = directory.Combine("l.sock");
        Root = directory.Combine("root");
        ConfigurationFile = directory.Combine("config");
    }

    /// <summary>
    /// The program under test: the one LAZYSNAP_PROGRAM names (`make test` and its like name the native one), else the JIT's that
    /// was built beside the tests, else out/lazysnap.
    /// </summary>
    public static string ProgramPath { get; } = FindProgram();

    public string Address { get; }

    public string Root { get; }

    public string ConfigurationFile { get; }

    public int Id => _process?.Id ?? throw new InvalidOperationException("lazysnap was never started");

    public string Log => _earlierLogs + _process?.Log;

    /// <summary>Makes the folder, so that containerd can be told address and root. Nothing runs yet.</summary>
    public static LazysnapProcess Create() => new(TestDirectory.Create());

    /// <param name="containerdAddress">--containerd.</param>
    /// <param name="configuration">What --config names; none when null.</param>
    /// <param name="arguments">Further arguments of serve.</param>
    public async Task StartAsync(string containerdAddress, string? configuration = null, params IEnumerable<string> arguments)
    {
        if (_process is not null)
        {
            _earlierLogs = Log;
            await _process.DisposeAsync();
        }

        List<string> all = ["serve", "--address", Address, "--root", Root, "--containerd", containerdAddress];
        if (configuration is not null)
        {
            await File.WriteAllTextAsync(ConfigurationFile, configuration);
            all.AddRange(["--config", ConfigurationFile]);
        }

        _process = BackgroundProcess.Start(ProgramPath, all.Concat(arguments));
        await _process.WaitUntilAsync("serving", ServesAsync, StartTimeout);
    }

    /// <summary>Returns when the daemon has logged a text.</summary>
    public Task WaitForLogAsync(string text) =>
        _process!.WaitUntilAsync($"logging \"{text}\"", () => Task.FromResult(Log.Contains(text, StringComparison.Ordinal)), StartTimeout);

    /// <summary>Any command of the program, run to its end.</summary>
    public static Task<ProcessResult> RunAsync(params IEnumerable<string> arguments) => ProcessRunner.RunAsync(ProgramPath, arguments);

    /// <summary>SIGTERM.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync() => _process?.StopAsync(StopTimeout) ?? Task.FromResult(0);

    /// <summary>SIGKILL: a crash.</summary>
    public Task KillAsync() => _process?.KillAsync() ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        finally
        {
            if (_process is not null)
                await _process.DisposeAsync();
            await _directory.DisposeAsync();
        }
    }

    private async Task<bool> ServesAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Address));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string FindProgram()
    {
        if (Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } named)
            return named;
        var beside = Path.Combine(AppContext.BaseDirectory, "lazysnap");
        return File.Exists(beside) ? beside : RepositoryRoot.Combine("out", "lazysnap");
    }
}
