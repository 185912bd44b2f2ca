using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// One dedicated thread that takes requests from the device and has them dispatched, until the mount is gone or the
// session stops. The device is not blocking, so that the thread can wait for it and for the word to stop at once;
// EPOLLEXCLUSIVE wakes one idle thread per request. (An epoll wake-up costs 0.4 us of the 8 a request takes.)
internal sealed class FuseReader : IDisposable
{
    private readonly FuseConnection _connection;
    private readonly FuseDispatcher _dispatcher;
    private readonly LinuxFileHandle _epoll;
    private readonly CancellationToken _stopping;
    private readonly Action _ended;
    private readonly Thread _thread;

    /// <param name="stopEvent">Becomes readable together with <paramref name="stopping"/>.</param>
    /// <param name="ended">Called by the thread as its last act.</param>
    public FuseReader(FuseConnection connection, int number, LinuxFileHandle stopEvent, Action ended, CancellationToken stopping)
    {
        _connection = connection;
        _dispatcher = new FuseDispatcher(connection);
        _stopping = stopping;
        _ended = ended;
        _epoll = Libc.CreateEpoll();
        try
        {
            Libc.AddToEpoll(_epoll, connection.Device.Handle, exclusive: true);
            Libc.AddToEpoll(_epoll, stopEvent, exclusive: false);
        }
        catch
        {
            _epoll.Dispose(); // ENOSPC: fs.epoll.max_user_watches
            throw;
        }

        _thread = new Thread(Run)
        {
            IsBackground = true,
            Name = string.Create(CultureInfo.InvariantCulture, $"fuse-{connection.Options.Name}-{number}"),
        };
    }

    public FuseStatistics Statistics => _dispatcher.Statistics;

    public void Start() => _thread.Start();

    public void Dispose() => _epoll.Dispose();

    private void Run()
    {
        try
        {
            Serve(GC.AllocateUninitializedArray<byte>(FuseLimits.RequestLengthMax, pinned: true));
        }
        finally
        {
            _ended();
        }
    }

    private void Serve(byte[] buffer)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var count = _connection.Device.Receive(buffer, out var errno);
            switch (errno)
            {
                case Errno.None:
                    _dispatcher.Dispatch(buffer.AsSpan(0, count));
                    break;
                case Errno.EAGAIN:
                    Libc.WaitForEpoll(_epoll);
                    break;

                // The asker was killed between our wake-up and our read.
                case Errno.ENOENT:
                    break;
                case Errno.ENODEV:
                    return;
                case Errno.ECONNABORTED:
                    FuseLog.ConnectionAborted(_connection.Logger, _connection.Options.Name);
                    return;
                default:
                    FuseLog.ReceiveFailed(_connection.Logger, _connection.Options.Name, errno);
                    return;
            }
        }
    }
}
