using System.Text;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Node.Images;

namespace LazySnapshotter.Node.Tests;

public sealed class ImageTreeTests : IAsyncLifetime
{
    private readonly TestLayers _layers = new();
    private ImageTree _tree = null!;

    public async Task InitializeAsync() => _tree = new ImageTree(
    [
        await _layers.LayerAsync(
            ("etc/", null), ("etc/passwd", "root"), ("etc/old", "old"),
            ("usr/", null), ("usr/bin/", null), ("usr/bin/tool", "one"), ("bin", "-> usr/bin"),
            ("data/", null), ("data/a", "a"), ("data/b", "b"), ("loop", "-> loop"), ("up", "-> ../../etc/passwd")),
        await _layers.LayerAsync(
            ("etc/.wh.old", null), ("etc/new", "new"),
            ("usr/bin/tool", "two"), ("data/", null), ("data/.wh..wh..opq", null), ("data/c", "c")),
    ]);

    public async Task DisposeAsync() => await _layers.DisposeAsync();

    [Fact]
    public void A_tree_without_layers_is_an_empty_directory()
    {
        var empty = new ImageTree([]);
        Assert.Equal((TocEntryType.Directory, 0x1EDu, 0u),
            (empty.EntryOf(empty.Root).Type, empty.EntryOf(empty.Root).Mode, empty.EntryOf(empty.Root).Uid));
        Assert.Empty(empty.Children(empty.Root));
        Assert.Same(empty.Root, empty.Resolve("/.."u8));
        Assert.Null(empty.Resolve("/etc"u8));
    }

    [Fact]
    public void Directories_merge_and_whiteouts_hide()
    {
        Assert.Equal(["new", "passwd"], Names("/etc"));
        Assert.Equal(["bin", "data", "etc", "loop", "up", "usr"], Names("/"));
    }

    [Fact]
    public void An_opaque_directory_hides_everything_below_it() => Assert.Equal(["c"], Names("/data"));

    [Fact]
    public async Task A_directory_no_layer_above_lists_is_described_by_the_nearest_below_that_does_hidden_or_not()
    {
        var tree = new ImageTree(
        [
            await _layers.LayerAsync(("a/", null), ("a/b/", null), ("a/b/old", "old"), ("link", "-> a"), ("file", "f"), ("c/", null)),
            await _layers.LayerAsync(("a/.wh..wh..opq", null), (".wh.c", null)),
            await _layers.LayerAsync(("a/b/new", "n"), ("link/x", "x"), ("file/x", "x"), ("c/x", "x"), ("nowhere/x", "x")),
        ]);

        Assert.Equal(["new"], tree.Children(tree.Resolve("/a/b"u8)!).Select(child => Encoding.UTF8.GetString(child.Name)));
        foreach (var path in (string[])["/a", "/a/b", "/link"])
            Assert.False(tree.EntryOf(tree.Resolve(Encoding.UTF8.GetBytes(path))!).IsImplicit, path);
        foreach (var path in (string[])["/file", "/c", "/nowhere"])
            Assert.True(tree.EntryOf(tree.Resolve(Encoding.UTF8.GetBytes(path))!).IsImplicit, path);
    }

    [Fact]
    public async Task The_topmost_layer_decides_what_a_file_holds() => Assert.Equal("two", await ContentAsync("/usr/bin/tool"));

    [Fact]
    public async Task Links_are_followed_inside_the_image_and_never_out_of_it()
    {
        Assert.Equal("two", await ContentAsync("/bin/tool"));
        Assert.Equal("root", await ContentAsync("/up"));
        Assert.Equal("root", await ContentAsync("/../../usr/./bin/../../etc/passwd"));
        Assert.Equal("usr/bin", Encoding.UTF8.GetString(_tree.LinkTarget(_tree.Resolve("/bin"u8, followLast: false)!).Span));
    }

    [Fact]
    public void What_is_not_there_is_null_and_a_loop_of_links_is_an_error()
    {
        Assert.Null(_tree.Resolve("/etc/old"u8));
        Assert.Null(_tree.Resolve("/data/a"u8));
        Assert.Null(_tree.Resolve("/etc/passwd/x"u8));
        Assert.Throws<InvalidDataException>(() => _tree.Resolve("/loop"u8));
    }

    private string[] Names(string path) =>
        [.. _tree.Children(_tree.Resolve(Encoding.UTF8.GetBytes(path))!).Select(child => Encoding.UTF8.GetString(child.Name))];

    private async Task<string> ContentAsync(string path)
    {
        var file = _tree.Resolve(Encoding.UTF8.GetBytes(path))!;
        var buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await _tree.ReadAsync(file, 0, buffer, CancellationToken.None));
    }
}
