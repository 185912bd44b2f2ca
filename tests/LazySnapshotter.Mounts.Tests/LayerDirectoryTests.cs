using System.Text;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Linux;
using LazySnapshotter.Node.Tests;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Implicit;

namespace LazySnapshotter.Mounts.Tests;

public sealed class LayerDirectoryTests : IAsyncLifetime
{
    private const long Slot = 1;

    private readonly TestLayers _layers = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _layers.DisposeAsync();

    [Fact]
    public async Task An_opaque_directory_without_an_entry_of_its_own_is_opaque_and_has_what_it_inherits()
    {
        var layer = await _layers.LayerAsync(("cfg/new", "n"), ("cfg/.wh..wh..opq", null));
        var cfg = EntryOf(layer.Toc, "cfg");
        var inherited = new InheritedDirectory(0b111_001_001, 7, 8, 5, 0, [new TocXattr("user.k"u8.ToArray(), "v"u8.ToArray())]);
        var fileSystem = new LayerFileSystem(_ => Task.FromResult<LayerDirectory?>(null));
        fileSystem.Add(Slot, new LayerDirectory(Slot, layer, ImplicitDirectories.From(new Dictionary<int, InheritedDirectory>
        {
            [cfg] = inherited,
        })));

        Assert.Equal("user.k trusted.overlay.opaque", Names(fileSystem, cfg));
        Assert.Equal("y", Value(fileSystem, cfg, "trusted.overlay.opaque"));
        Assert.Equal("v", Value(fileSystem, cfg, "user.k"));
        Assert.Equal(Errno.None, fileSystem.GetAttributes(Node(cfg), out var attributes));
        Assert.Equal((0b111_001_001u, 7u, 8u), (attributes.Mode & ModeBits.PermissionMask, attributes.Uid, attributes.Gid));
    }

    [Fact]
    public async Task With_userxattr_only_our_own_mark_is_shown_in_overlays_namespace()
    {
        var layer = await _layers.LayerAsync(("cfg/new", "n"), ("cfg/.wh..wh..opq", null), ("other/x", "x"));
        var (cfg, other) = (EntryOf(layer.Toc, "cfg"), EntryOf(layer.Toc, "other"));
        var evil = new InheritedDirectory(0x1ED, 0, 0, 5, 0,
        [
            new TocXattr("user.k"u8.ToArray(), "v"u8.ToArray()),
            new TocXattr("user.overlay.opaque"u8.ToArray(), "y"u8.ToArray()),
            new TocXattr("user.overlay.redirect"u8.ToArray(), "/"u8.ToArray()),
        ]);
        var layers = new LayerFileSystem(_ => Task.FromResult<LayerDirectory?>(null));
        layers.Add(Slot, new LayerDirectory(Slot, layer, ImplicitDirectories.From(new Dictionary<int, InheritedDirectory>
        {
            [other] = evil,
        })));
        var fileSystem = new UserOverlayXattrs(layers);

        Assert.Equal("user.overlay.opaque", Names(fileSystem, cfg));
        Assert.Equal("y", Value(fileSystem, cfg, "user.overlay.opaque"));
        Assert.Null(Value(fileSystem, cfg, "trusted.overlay.opaque"));
        Assert.Equal("user.k", Names(fileSystem, other));
        Assert.Equal("v", Value(fileSystem, other, "user.k"));
        Assert.Null(Value(fileSystem, other, "user.overlay.opaque"));
        Assert.Null(Value(fileSystem, other, "user.overlay.redirect"));
        Assert.Equal("y", Value(layers, other, "user.overlay.opaque")); // elsewhere it is an attribute like any other
    }

    [Fact]
    public async Task The_lowest_layer_shows_no_whiteouts_and_one_above_does()
    {
        var layer = await _layers.LayerAsync(("d/", null), ("d/.wh.gone", null), ("d/stays", "s"));
        using var below = new TemporaryDirectory();
        var lowest = ImplicitDirectoryResolver.Resolve(layer.Toc, []);
        Assert.Equal(["stays"], Listing(new LayerDirectory(Slot, layer, lowest), EntryOf(layer.Toc, "d")));
        var readBack = ImplicitDirectories.FromBytes(lowest.ToBytes());
        Assert.Equal(["stays"], Listing(new LayerDirectory(Slot, layer, readBack), EntryOf(layer.Toc, "d")));
        Assert.Equal(Errno.ENOENT, new LayerDirectory(Slot, layer, lowest).Lookup(EntryOf(layer.Toc, "d"), "gone"u8, out _, out _));

        var upper = new LayerDirectory(Slot, layer, ImplicitDirectoryResolver.Resolve(layer.Toc, [below.Path]));
        Assert.Equal(["gone", "stays"], Listing(upper, EntryOf(layer.Toc, "d")));
    }

    [Fact]
    public async Task A_lowest_layer_without_whiteouts_shares_its_slot_with_every_other_place()
    {
        var layer = await _layers.LayerAsync(("d/", null), ("d/stays", "s"));
        Assert.Empty(ImplicitDirectoryResolver.Resolve(layer.Toc, []).ToBytes());
    }

    private static NodeId Node(int entry) => new LayerNode(Slot, entry).ToNodeId();

    private static int EntryOf(LayerToc toc, string path) =>
        toc.TryResolve(Encoding.UTF8.GetBytes(path), out var entry) ? entry : throw new FileNotFoundException(path);

    private static string Names(IFuseFileSystem fileSystem, int entry)
    {
        Assert.Equal(Errno.None, fileSystem.ListXattr(Node(entry), out var names));
        return Encoding.UTF8.GetString(names.Span).TrimEnd('\0').Replace('\0', ' ');
    }

    private static string? Value(IFuseFileSystem fileSystem, int entry, string name) =>
        fileSystem.GetXattr(Node(entry), Encoding.UTF8.GetBytes(name), out var value) == Errno.None
            ? Encoding.UTF8.GetString(value.Span)
            : null;

    private static List<string> Listing(LayerDirectory layer, int directory)
    {
        var names = new Collector();
        Assert.Equal(Errno.None, layer.ReadDirectory(directory, 0, names));
        return names.Names;
    }

    private sealed class Collector : IDirectorySink
    {
        public List<string> Names { get; } = [];

        public bool TryAdd(ReadOnlySpan<byte> name, NodeId node, in NodeAttributes attributes, long nextCookie)
        {
            Names.Add(Encoding.UTF8.GetString(name));
            return true;
        }

        public bool TryAddName(ReadOnlySpan<byte> name, NodeId node, FileType type, long nextCookie) =>
            TryAdd(name, node, new NodeAttributes { Mode = (uint)type, Size = 0 }, nextCookie);
    }

    private sealed class TemporaryDirectory : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("lazysnap-mounts-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
