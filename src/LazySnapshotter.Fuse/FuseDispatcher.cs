using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// Takes one request apart, asks the filesystem, and replies. One per reader thread. This is the place where exceptions
// become EIO: nothing the filesystem throws ends the thread or leaves a request without a reply.
internal sealed partial class FuseDispatcher(FuseConnection connection)
{
    private readonly FuseConnection _connection = connection;
    private readonly FuseDevice _device = connection.Device;
    private readonly IFuseFileSystem _fileSystem = connection.FileSystem;
    private readonly DirectoryWriter _directory = new(connection.FileSystem);

    public FuseStatistics Statistics { get; } = new();

    /// <param name="message">All bytes of one read(2) from the device; not kept.</param>
    public void Dispatch(ReadOnlySpan<byte> message)
    {
        FuseRequest request;
        try
        {
            request = new FuseRequest(message);
        }
        catch (InvalidDataException e)
        {
            FuseLog.RequestMalformed(_connection.Logger, e);
            return;
        }

        Statistics.Count(request.Header.Opcode);
        try
        {
            if (WhenReady(request) is { } preparation)
                _ = HandleLaterAsync(preparation, message.ToArray());
            else
                Handle(ref request);
        }
        catch (Exception e)
        {
            Fail(request, e);
        }
    }

    // Of requests that ask the filesystem about a node.
    private Task? WhenReady(FuseRequest request) => request.Header.Opcode switch
    {
        FuseOpcode.FUSE_LOOKUP => _fileSystem.WhenReady(request.Node, request.ReadName()),
        FuseOpcode.FUSE_GETATTR or FuseOpcode.FUSE_READ or FuseOpcode.FUSE_READDIR or FuseOpcode.FUSE_READDIRPLUS
            or FuseOpcode.FUSE_READLINK or FuseOpcode.FUSE_GETXATTR or FuseOpcode.FUSE_LISTXATTR => _fileSystem.WhenReady(request.Node, []),
        _ => null,
    };

    // On the thread pool, so with a dispatcher of its own: buffers belong to one thread.
    private async Task HandleLaterAsync(Task preparation, byte[] message)
    {
        await preparation.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        new FuseDispatcher(_connection).HandlePrepared(preparation, message);
    }

    private void HandlePrepared(Task preparation, byte[] message)
    {
        var request = new FuseRequest(message);
        try
        {
            preparation.GetAwaiter().GetResult();
            Handle(ref request);
        }
        catch (Exception e)
        {
            Fail(request, e);
        }
    }

    private void Fail(in FuseRequest request, Exception exception)
    {
        FuseLog.RequestFailed(_connection.Logger, request.Header.Opcode, request.Node, exception);
        _device.ReplyError(request.Header.Unique, Errno.EIO);
    }

    private void Handle(ref FuseRequest request)
    {
        var unique = request.Header.Unique;
        switch (request.Header.Opcode)
        {
            case FuseOpcode.FUSE_LOOKUP:
                Lookup(ref request);
                break;
            case FuseOpcode.FUSE_GETATTR:
                GetAttributes(request);
                break;
            case FuseOpcode.FUSE_READ:
                Read(ref request);
                break;
            case FuseOpcode.FUSE_READDIR:
                ReadDirectory(ref request, withAttributes: false);
                break;
            case FuseOpcode.FUSE_READDIRPLUS:
                ReadDirectory(ref request, withAttributes: true);
                break;
            case FuseOpcode.FUSE_READLINK:
                ReadLink(request);
                break;
            case FuseOpcode.FUSE_GETXATTR:
                GetXattr(ref request);
                break;
            case FuseOpcode.FUSE_LISTXATTR:
                ListXattr(ref request);
                break;
            case FuseOpcode.FUSE_STATFS:
                _device.Reply(unique, new FuseStatfs(_fileSystem.GetTotals()));
                break;
            case FuseOpcode.FUSE_OPEN:
                Open(unique);
                break;
            case FuseOpcode.FUSE_OPENDIR:
                OpenDirectory(request);
                break;
            case FuseOpcode.FUSE_INTERRUPT:
                Interrupt(ref request);
                break;
            case FuseOpcode.FUSE_INIT:
                Initialize(ref request);
                break;

            // Node ids are computed, not allocated: there is nothing to forget. These have no reply.
            case FuseOpcode.FUSE_FORGET or FuseOpcode.FUSE_BATCH_FORGET:
                break;

            // No file handles: there is nothing to release.
            case FuseOpcode.FUSE_RELEASE or FuseOpcode.FUSE_RELEASEDIR or FuseOpcode.FUSE_DESTROY:
                _device.ReplyError(unique, Errno.None);
                break;

            case FuseOpcode.FUSE_IOCTL:
                Ioctl(ref request);
                break;

            // The mount is read-only, so these come only after somebody has remounted it.
            case FuseOpcode.FUSE_SETATTR or FuseOpcode.FUSE_SYMLINK or FuseOpcode.FUSE_MKNOD or FuseOpcode.FUSE_MKDIR
                or FuseOpcode.FUSE_UNLINK or FuseOpcode.FUSE_RMDIR or FuseOpcode.FUSE_RENAME or FuseOpcode.FUSE_RENAME2
                or FuseOpcode.FUSE_LINK or FuseOpcode.FUSE_WRITE or FuseOpcode.FUSE_SETXATTR or FuseOpcode.FUSE_REMOVEXATTR
                or FuseOpcode.FUSE_CREATE or FuseOpcode.FUSE_TMPFILE or FuseOpcode.FUSE_FALLOCATE or FuseOpcode.FUSE_COPY_FILE_RANGE:
                _device.ReplyError(unique, Errno.EROFS);
                break;

            // "Not here, and do not ask again": FLUSH, FSYNC, FSYNCDIR, SYNCFS, ACCESS (the kernel checks modes itself), LSEEK,
            // STATX, POLL, locks. The kernel has an answer of its own to each.
            default:
                _device.ReplyError(unique, Errno.ENOSYS);
                break;
        }
    }
}
