using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// Requests about one node: name, attributes, link target, extended attributes, opening.
internal sealed partial class FuseDispatcher
{
    private void Lookup(ref FuseRequest request)
    {
        var unique = request.Header.Unique;
        var parent = request.Node;
        var name = request.ReadName();

        // The kernel asks for "." when it has a handle and no inode (FUSE_EXPORT_SUPPORT).
        NodeId node;
        NodeAttributes attributes;
        var errno = name is [(byte)'.']
            ? _fileSystem.GetAttributes(node = parent, out attributes)
            : _fileSystem.Lookup(parent, name, out node, out attributes);

        if (errno == Errno.None)
            _device.Reply(unique, FuseReplies.Entry(_fileSystem, node, attributes));
        else if (errno == Errno.ENOENT && !IsDots(name) && _fileSystem.IsImmutable(parent))
            _device.Reply(unique, FuseReplies.NoEntry);
        else
            _device.ReplyError(unique, errno);
    }

    private static bool IsDots(ReadOnlySpan<byte> name) => name is [(byte)'.'] or [(byte)'.', (byte)'.'];

    private void GetAttributes(in FuseRequest request)
    {
        var errno = _fileSystem.GetAttributes(request.Node, out var attributes);
        if (errno == Errno.None)
            _device.Reply(request.Header.Unique, FuseReplies.Attributes(_fileSystem, request.Node, attributes));
        else
            _device.ReplyError(request.Header.Unique, errno);
    }

    private void ReadLink(in FuseRequest request)
    {
        var errno = _fileSystem.ReadLink(request.Node, out var target);
        if (errno == Errno.None)
            _device.Reply(request.Header.Unique, target.Span);
        else
            _device.ReplyError(request.Header.Unique, errno);
    }

    private void GetXattr(ref FuseRequest request)
    {
        var size = request.Read<FuseGetXattrIn>().Size;
        var errno = _fileSystem.GetXattr(request.Node, request.ReadName(), out var value);
        ReplyXattr(request.Header.Unique, errno, value.Span, size);
    }

    private void ListXattr(ref FuseRequest request)
    {
        var size = request.Read<FuseGetXattrIn>().Size;
        var errno = _fileSystem.ListXattr(request.Node, out var names);
        ReplyXattr(request.Header.Unique, errno, names.Span, size);
    }

    private void ReplyXattr(ulong unique, Errno errno, ReadOnlySpan<byte> value, uint size)
    {
        if (errno != Errno.None)
            _device.ReplyError(unique, errno);
        else if (size == 0)
            _device.Reply(unique, new FuseGetXattrOut((uint)value.Length));
        else if (value.Length > size)
            _device.ReplyError(unique, Errno.ERANGE);
        else
            _device.Reply(unique, value);
    }

    // For anything else ENOSYS would do on recent kernels; overlayfs of 5.13 to 6.0 copies a file up only if it is ENOTTY.
    private void Ioctl(ref FuseRequest request)
    {
        if (request.TryRead<FuseIoctlIn>(out var arguments) && arguments.AsksForInodeFlags)
            _device.Reply(request.Header.Unique, default(FuseIoctlOutInodeFlags));
        else
            _device.ReplyError(request.Header.Unique, Errno.ENOTTY);
    }

    private void Open(ulong unique)
    {
        if (_connection.Features.OpensWithoutAsking)
            _device.ReplyError(unique, Errno.ENOSYS);
        else
            _device.Reply(unique, new FuseOpenOut(FuseOpenFlags.FOPEN_KEEP_CACHE | FuseOpenFlags.FOPEN_NOFLUSH));
    }

    // A kernel that opens without asking keeps every listing; AUTO_INVAL_DATA makes it compare the directory's time first.
    private void OpenDirectory(in FuseRequest request)
    {
        if (_connection.Features.OpensDirectoriesWithoutAsking)
        {
            _device.ReplyError(request.Header.Unique, Errno.ENOSYS);
            return;
        }

        var flags = _fileSystem.IsImmutable(request.Node) ? FuseOpenFlags.FOPEN_KEEP_CACHE | FuseOpenFlags.FOPEN_CACHE_DIR : 0;
        _device.Reply(request.Header.Unique, new FuseOpenOut(flags));
    }
}
