using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// READDIR and READDIRPLUS: "." and "..", then the filesystem's children, as far as the kernel's buffer goes.
internal sealed partial class FuseDispatcher
{
    private void ReadDirectory(ref FuseRequest request, bool withAttributes)
    {
        var directory = request.Node;
        var arguments = request.Read<FuseReadIn>();
        if (arguments.Size > FuseLimits.ReadLengthMax || arguments.Offset > long.MaxValue)
        {
            _device.ReplyError(request.Header.Unique, Errno.EINVAL);
            return;
        }

        _directory.Begin((int)arguments.Size, withAttributes);
        var errno = Fill(directory, (long)arguments.Offset);

        // An empty reply would mean the end of the directory.
        if (errno == Errno.None && _directory.IsFull && _directory.Written.IsEmpty)
            errno = Errno.EINVAL;

        if (errno == Errno.None)
            _device.Reply(request.Header.Unique, _directory.Written);
        else
            _device.ReplyError(request.Header.Unique, errno);
    }

    private Errno Fill(NodeId directory, long position)
    {
        if (position < DirectoryWriter.BeforeParent && !_directory.TryAddDots("."u8, directory, DirectoryWriter.BeforeParent))
            return Errno.None;

        if (position < DirectoryWriter.BeforeChildren)
        {
            if (_fileSystem.Lookup(directory, ".."u8, out var parent, out _) != Errno.None)
                parent = directory;
            if (!_directory.TryAddDots(".."u8, parent, DirectoryWriter.BeforeChildren))
                return Errno.None;
        }

        return _fileSystem.ReadDirectory(directory, Math.Max(0, position - DirectoryWriter.BeforeChildren), _directory);
    }
}
