using System.Globalization;
using LazySnapshotter.Fuse;
using LazySnapshotter.Linux;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Snapshots.Directories;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts.Images;

// A whole image as one read-only directory, without containerd: the layers in a filesystem of their own under a
// private directory, and overlayfs merging them where the caller wants the image. Needs CAP_SYS_ADMIN.
public sealed class ImageMount : IAsyncDisposable
{
    private readonly string _workDirectory;
    private readonly string _target;
    private FuseSession? _session;
    private bool _merged;

    private ImageMount(string workDirectory, string target)
    {
        _workDirectory = workDirectory;
        _target = target;
    }

    private string LayersDirectory => Path.Combine(_workDirectory, "l");

    // overlayfs wants two lower directories where there is no upper one; these are empty and lowest. The second is for an image
    // without layers, whose root is what containerd makes of one: 0755.
    private string EmptyDirectory => Path.Combine(_workDirectory, "e");

    private string EmptyRootDirectory => Path.Combine(_workDirectory, "r");

    /// <param name="layers">Lowest first.</param>
    /// <param name="target">An existing directory.</param>
    /// <exception cref="LinuxException">A mount failed; the message names call and path.</exception>
    public static async Task<ImageMount> MountAsync(IReadOnlyList<LazyLayer> layers, string target, ILoggerFactory loggers)
    {
        target = Path.GetFullPath(target);
        CheckTarget(target);
        var mount = new ImageMount(Directory.CreateTempSubdirectory("lazysnap-").FullName, target);
        try
        {
            await mount.MountAsync(layers, loggers);
            return mount;
        }
        catch
        {
            await mount.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="IOException">Nothing can be mounted there.</exception>
    public static void CheckTarget(string target)
    {
        if (File.Exists(target))
            throw new IOException($"{target}: it is a file; an image is mounted on a directory");
        if (!Directory.Exists(target))
            throw new DirectoryNotFoundException($"{target}: no such directory; make it first");
    }

    public async ValueTask DisposeAsync()
    {
        // Whoever still has files open below keeps them until he closes them.
        if (_merged)
            Libc.Unmount(_target, UnmountFlags.UMOUNT_NOFOLLOW | UnmountFlags.MNT_DETACH);
        if (_session is not null)
            await _session.DisposeAsync();
        Directory.Delete(_workDirectory, recursive: true);
    }

    private async Task MountAsync(IReadOnlyList<LazyLayer> layers, ILoggerFactory loggers)
    {
        Directory.CreateDirectory(LayersDirectory);
        Directory.CreateDirectory(EmptyDirectory);
        const UnixFileMode rwxr_xr_x = (UnixFileMode)0x1ED;
        File.SetUnixFileMode(Directory.CreateDirectory(EmptyRootDirectory).FullName, rwxr_xr_x);
        var fileSystem = new LayerFileSystem(static _ => Task.FromResult<LayerDirectory?>(null));
        var usesUserXattr = OverlayProbe.NeedsUserXattr(_workDirectory);
        _session = await FuseSession.StartAsync(
            FuseMount.Create(LayersDirectory, new FuseMountOptions()), usesUserXattr ? new UserOverlayXattrs(fileSystem) : fileSystem,
            new FuseSessionOptions { Name = "image" }, loggers.CreateLogger<FuseSession>());

        // Lowest first: what a tar leaves out is taken from the layers already here.
        var lower = new List<string>();
        for (var slot = 1; slot <= layers.Count; slot++)
        {
            var layer = layers[slot - 1];
            fileSystem.Add(slot, new LayerDirectory(slot, layer, ImplicitDirectoryResolver.Resolve(layer.Toc, lower)));
            lower.Insert(0, Path.Combine(LayersDirectory, slot.ToString(CultureInfo.InvariantCulture)));
        }

        // One page holds all mount options, so many layers need short names: they are given relative to the current
        // directory, which overlayfs resolves at once. This process has nothing else that depends on it.
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = LayersDirectory;
        try
        {
            var names = lower.Select(directory => Path.GetFileName(directory)!)
                .Append(Path.Combine("..", Path.GetFileName(EmptyDirectory)));
            if (layers.Count == 0)
                names = names.Prepend(Path.Combine("..", Path.GetFileName(EmptyRootDirectory)));
            var options = "lowerdir=" + string.Join(':', names) + (usesUserXattr ? ",userxattr" : "");
            Libc.Mount("overlay", _target, "overlay", MountFlags.MS_RDONLY, options);
            _merged = true;
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }
}
