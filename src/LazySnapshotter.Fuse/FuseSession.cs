using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuse;

// Serves a filesystem at a mount: one descriptor, as many reader threads as CPUs, no state but the reads under way. It owns
// the mount, which goes with it.
//
//   await using var session = await FuseSession.StartAsync(FuseMount.Create(directory, new()), fileSystem, new(), logger);
//
// The end has two orders. Unmounted from outside: the kernel tells the readers (ENODEV), Completion ends, and DisposeAsync
// clears up. DisposeAsync first: unmount, stop the readers, give up the reads under way, close the descriptor, upon which the kernel
// fails whatever still waits. Neither waits for a read without bound.
public sealed class FuseSession : IAsyncDisposable
{
    public const string MeterName = "LazySnapshotter.Fuse";

    // INIT is answered by our own thread from memory; only a kernel that never sends it takes long.
    private static readonly TimeSpan InitTimeout = TimeSpan.FromSeconds(10);

    // How long a filesystem may take to notice that its reads are cancelled.
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);

    private readonly FuseMount _mount;
    private readonly FuseConnection _connection;
    private readonly FuseReader[] _readers;
    private readonly LinuxFileHandle _stopEvent;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Meter _meter = new(MeterName);
    private int _readersRunning;
    private int _disposed;

    private FuseSession(FuseMount mount, IFuseFileSystem fileSystem, FuseSessionOptions options, ILogger logger)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ReaderThreads, 1);
        _mount = mount;
        _connection = new FuseConnection(new FuseDevice(mount.Device, logger), fileSystem, options, logger);
        _readersRunning = options.ReaderThreads;
        _readers = new FuseReader[options.ReaderThreads];
        try
        {
            _stopEvent = Libc.CreateEvent();
            for (var i = 0; i < _readers.Length; i++)
                _readers[i] = new FuseReader(_connection, i, _stopEvent, ReaderEnded, _stopping.Token);
        }
        catch
        {
            foreach (var reader in _readers)
                reader?.Dispose();
            _stopEvent?.Dispose();
            _stopping.Dispose();
            _meter.Dispose();
            throw;
        }

        ShowMeter();
    }

    public string MountPoint => _mount.MountPoint;

    public FuseFeatures Features => _connection.Features;

    /// <summary>Ends when nobody serves the mount any more: it was unmounted, aborted, or the session was disposed.</summary>
    public Task Completion => _completion.Task;

    public int ReadsInFlight => _connection.Reads.Count;

    /// <summary>How long the oldest read has been waiting.</summary>
    public TimeSpan OldestReadAge => _connection.Reads.OldestAge;

    /// <summary>Starts to serve; returns when the kernel and we have agreed on features. Upon failure the mount is gone.</summary>
    /// <exception cref="NotSupportedException">The kernel is too old.</exception>
    /// <exception cref="TimeoutException">The kernel did not begin the conversation.</exception>
    public static async Task<FuseSession> StartAsync(
        FuseMount mount, IFuseFileSystem fileSystem, FuseSessionOptions options, ILogger logger)
    {
        var session = Create(mount, fileSystem, options, logger);
        try
        {
            foreach (var reader in session._readers)
                reader.Start();

            var features = await session._connection.Initialized.Task.WaitAsync(InitTimeout);
            FuseLog.SessionStarted(logger, options.Name, mount.MountPoint, features.MinorVersion, features.Flags);
            session.TuneKernel();
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>How many requests of a kind were taken since the start.</summary>
    public long CountOf(FuseOpcode opcode) => _readers.Sum(reader => reader.Statistics[opcode]);

    /// <summary>
    /// Makes the kernel forget what it knows about a name in a directory that is not immutable: after it was added, it
    /// need not be called; after it was removed or leads to another node, it must. Not from a filesystem's own methods: the
    /// kernel may hold the directory's lock for the very request being answered.
    /// </summary>
    public void InvalidateEntry(NodeId parent, ReadOnlySpan<byte> name)
    {
        var header = new FuseNotifyInvalidEntry(parent, (uint)name.Length);
        var payload = new byte[Unsafe.SizeOf<FuseNotifyInvalidEntry>() + name.Length + 1];
        MemoryMarshal.Write(payload, in header);
        name.CopyTo(payload.AsSpan(Unsafe.SizeOf<FuseNotifyInvalidEntry>()));

        // ENOENT: it does not know the name, or the directory. ENODEV: there is no mount any more.
        var errno = _connection.Device.Notify(FuseNotifyCode.FUSE_NOTIFY_INVAL_ENTRY, payload);
        if (errno is not (Errno.None or Errno.ENOENT or Errno.ENODEV))
            throw new LinuxException(errno, "FUSE_NOTIFY_INVAL_ENTRY", MountPoint);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;

        try
        {
            _mount.Unmount();
        }
        finally
        {
            await StopReadersAsync();
            await EndReadsAsync();
            _mount.Dispose();
            _stopEvent.Dispose();
            _stopping.Dispose();
            _meter.Dispose();
        }
    }

    // Without descriptors for it (EMFILE) there is no session, and there must be no mount: who looked at it would wait for the
    // answer to INIT.
    private static FuseSession Create(FuseMount mount, IFuseFileSystem fileSystem, FuseSessionOptions options, ILogger logger)
    {
        try
        {
            return new FuseSession(mount, fileSystem, options, logger);
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }

    // docs/METRICS.md. The instruments look at what is counted anyway, and only when they are asked.
    private void ShowMeter()
    {
        var opcodes = Enum.GetValues<FuseOpcode>()
            .Select(opcode => (Opcode: opcode, Tag: new KeyValuePair<string, object?>("fuse.opcode", opcode.ToString())))
            .ToList();
        _meter.CreateObservableCounter(
            "lazysnap.fuse.requests",
            () => opcodes.Select(each => new Measurement<long>(CountOf(each.Opcode), each.Tag)).Where(each => each.Value > 0),
            "{request}", "Requests the kernel made");
        _meter.CreateObservableUpDownCounter(
            "lazysnap.fuse.reads.active", () => ReadsInFlight, "{read}", "Reads that are not answered yet");
        _meter.CreateObservableGauge(
            "lazysnap.fuse.read.age.max", () => OldestReadAge.TotalSeconds, "s", "How long the oldest of them has been waiting");
    }

    private async Task StopReadersAsync()
    {
        await _stopping.CancelAsync();
        Libc.SignalEvent(_stopEvent);
        await Task.WhenAny(Completion, Task.Delay(StopGrace));
        foreach (var reader in _readers)
            reader.Dispose();
    }

    private async Task EndReadsAsync()
    {
        foreach (var read in _connection.Reads.InterruptAll())
            ReadInterruption.GiveUp(read, _connection);

        var deadline = DateTime.UtcNow + StopGrace;
        while (ReadsInFlight > 0 && DateTime.UtcNow < deadline)
            await Task.Delay(TimeSpan.FromMilliseconds(5));

        if (ReadsInFlight is var left and > 0)
            FuseLog.ReadsAbandoned(_connection.Logger, _connection.Options.Name, left, StopGrace);
    }

    private void ReaderEnded()
    {
        if (Interlocked.Decrement(ref _readersRunning) > 0)
            return;

        FuseLog.Unmounted(_connection.Logger, _connection.Options.Name);
        _connection.Initialized.TrySetException(new IOException($"{MountPoint} was unmounted before the kernel began to talk"));
        _completion.TrySetResult();
    }

    // Neither is needed to work.
    private void TuneKernel()
    {
        try
        {
            _mount.RaiseReadAhead();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FuseLog.ReadAheadNotRaised(_connection.Logger, _connection.Options.Name, MountPoint, e);
        }

        foreach (var name in (ReadOnlySpan<string>)["default_request_timeout", "max_request_timeout"])
        {
            var path = "/proc/sys/fs/fuse/" + name;
            if (File.Exists(path) && File.ReadAllText(path).Trim() is var value and not "0")
                FuseLog.RequestTimeoutConfigured(_connection.Logger, _connection.Options.Name, name, value);
        }
    }
}
