using System.Text;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Toc;

// What containerd's unpacking makes of odd layers is what a layer's TOC must show.
public sealed class ContainerdSemanticsTests
{
    [Fact]
    public void The_roots_own_header_is_ignored()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("./", '5', mode: 0x1C0, uid: 7, mtime: 5).Add("./file", mtime: 1_500_000_000).Add("../..", '5', uid: 8).End());
        var root = layer.Toc[0];
        Assert.Equal((TocEntryType.Directory, 0x1EDu, 0u, 1_500_000_000L, false),
            (root.Type, root.Mode, root.Uid, root.MtimeSeconds, root.IsImplicit));
        Assert.Empty(layer.Toc.ImplicitDirectories);
    }

    [Theory]
    [InlineData("./a/b")]
    [InlineData("/a/b")]
    [InlineData("../../a/b")]
    [InlineData("x/../a//./b/")]
    public void Names_are_cleaned_and_cannot_leave_the_root(string name)
    {
        using var layer = BuiltLayer.Of(new TestTar().Add(name, data: "x").End());
        Assert.Equal(["a", "a/b"], Paths(layer));
    }

    [Fact]
    public void Missing_parents_are_implicit_until_they_are_named()
    {
        using var layer = BuiltLayer.Of(
            new TestTar().Add("a/b/old", mtime: 5).Add("a/b/new", mtime: 9).Add("c/d", mtime: 3).Directory("c", 0x1C0, 4).End());
        Assert.Equal(["a", "a/b"], layer.Toc.ImplicitDirectories.Select(entry => Encoding.UTF8.GetString(layer.Toc.PathOf(entry))));
        var parent = layer["a"];
        Assert.Equal((0x1EDu, 0u, 9L, true), (parent.Mode, parent.Uid, parent.MtimeSeconds, parent.IsImplicit));
        Assert.Equal((0x1C0u, 4L, false), (layer["c"].Mode, layer["c"].MtimeSeconds, layer["c"].IsImplicit));
        Assert.Equal([layer.Entry("c")], layer.Toc.LateDirectories);
    }

    [Fact]
    public void Missing_parents_in_a_set_group_id_directory_get_its_group_and_not_its_bit()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("d", '5', mode: 0x5ED, uid: 3, gid: 7).Add("d/a/b/f").Add("e/f").End());
        Assert.Equal((0x1EDu, 0u, 7u), (layer["d/a"].Mode, layer["d/a"].Uid, layer["d/a"].Gid));
        Assert.Equal((0x1EDu, 0u), (layer["d/a/b"].Mode, layer["d/a/b"].Gid)); // the bit was not handed on
        Assert.Equal(0u, layer["e"].Gid);
    }

    [Fact]
    public void The_last_entry_of_a_name_wins_and_only_directories_merge()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("file", data: "first").Add("file", data: "second")
            .Directory("dir").Add("dir/kept").Pax(("SCHILY.xattr.user.x", "1")).Directory("dir", 0x1C0)
            .Directory("gone").Add("gone/child").Add("gone", data: "file now")
            .Add("late").Directory("late").Add("late/child").End());
        Assert.Equal(["dir", "file", "gone", "late", "dir/kept", "late/child"], Paths(layer));
        Assert.Equal("second"u8.ToArray(), layer.ReadFile(layer.Entry("file")));
        Assert.Equal(0x1C0u, layer["dir"].Mode);
        Assert.Single(layer.Toc.Xattrs(layer.Entry("dir")));
        Assert.Equal("file now"u8.ToArray(), layer.ReadFile(layer.Entry("gone")));
    }

    [Fact]
    public void Symbolic_links_on_the_way_are_followed_inside_the_root()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Directory("usr").Directory("usr/lib").Add("lib", '2', link: "usr/lib").Add("lib/a")
            .Add("abs", '2', link: "/usr").Add("abs/b")
            .Add("up", '2', link: "../../../usr/lib/..").Add("up/c")
            .Add("usr/self", '2', link: "../lib/nowhere/yet").Add("usr/self/d").End());
        Assert.Equal(
            ["abs", "lib", "up", "usr", "usr/b", "usr/c", "usr/lib", "usr/self", "usr/lib/a", "usr/lib/nowhere", "usr/lib/nowhere/yet",
                "usr/lib/nowhere/yet/d"],
            Paths(layer));
    }

    [Fact]
    public void A_directory_over_a_symbolic_link_replaces_it()
    {
        using var layer = BuiltLayer.Of(
            new TestTar().Directory("target").Add("link", '2', link: "target").Directory("link").Add("link/file").End());
        Assert.Equal(["link", "target", "link/file"], Paths(layer));
    }

    [Fact]
    public void Loops_and_files_on_the_way_are_refused()
    {
        Assert.Contains("symbolic links to follow", BuiltLayer.RefusalOf(
            new TestTar().Add("a", '2', link: "b").Add("b", '2', link: "a").Add("a/x").End()), StringComparison.Ordinal);
        Assert.Contains(
            "\"f\" on the way is not a directory", BuiltLayer.RefusalOf(new TestTar().Add("f").Add("f/x").End()), StringComparison.Ordinal);
        Assert.Contains("entry \"l/x\": ", BuiltLayer.RefusalOf(
            new TestTar().Add("l", '2', link: "f").Add("f").Add("l/x").End()), StringComparison.Ordinal);
    }

    [Fact]
    public void Whiteouts_are_devices_and_opaque_markers_attributes()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("a/.wh.gone", uid: 3, mode: 0x1A4)
                .Add("b/.wh..wh..opq").Add(".wh..wh.aufs").Directory("b", 0x1C0).Add(".wh..wh..opq").End());
        Assert.Equal([".wh.aufs", "a", "b", "a/gone"], Paths(layer));
        var gone = layer["a/gone"];
        Assert.True(gone.IsWhiteout);
        Assert.Equal((0u, 3u), (gone.Mode, gone.Uid));
        Assert.Equal("trusted.overlay.opaque=y", Xattrs(layer, "b"));
        Assert.Equal("trusted.overlay.opaque=y", Xattrs(layer, ""));
        Assert.Equal((0x1C0u, false), (layer["b"].Mode, layer["b"].IsImplicit));
    }

    [Fact]
    public void What_comes_after_a_whiteout_replaces_it()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add(".wh.dir").Directory("dir").Add("dir/x").Add(".wh.file").Add("file", data: "new").End());
        Assert.Equal(["dir", "file", "dir/x"], Paths(layer));
        Assert.Equal("", Xattrs(layer, "dir")); // as containerd leaves it: the lower directory shows through
    }

    [Theory]
    [InlineData("file")]
    [InlineData(".wh.file")]
    [InlineData("file/below")]
    public void A_whiteout_of_what_its_own_layer_has_is_refused(string before) =>
        Assert.Contains(
            "its own layer has", BuiltLayer.RefusalOf(new TestTar().Add(before).Add(".wh.file").End()), StringComparison.Ordinal);

    [Theory]
    [InlineData(".wh.")]
    [InlineData("a/.wh..")]
    [InlineData("a/.wh...")]
    public void A_whiteout_of_nothing_is_refused(string name) =>
        Assert.Contains("whiteout", BuiltLayer.RefusalOf(new TestTar().Add(name).End()), StringComparison.Ordinal);

    [Fact]
    public void Hard_links_share_an_entry_and_the_last_header_counts()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("a", data: "content", mode: 0x1A4).Add("b", '1', link: "./a", mode: 0x180, uid: 5).Add("d/c", '1', link: "/b")
            .Add("s", '2', link: "nowhere").Add("s2", '1', link: "s").End());
        Assert.Equal(layer.Entry("a"), layer.Entry("b"));
        Assert.Equal(layer.Entry("a"), layer.Entry("d/c"));
        Assert.Equal(3u, layer["a"].LinkCount);
        Assert.Equal((0x1A4u, 0u), (layer["a"].Mode, layer["a"].Uid)); // of d/c's header
        Assert.Equal((TocEntryType.SymbolicLink, 2u, 0x1FFu), (layer["s2"].Type, layer["s2"].LinkCount, layer["s2"].Mode));
        Assert.Equal("a", Encoding.UTF8.GetString(layer.Toc.PathOf(layer.Entry("d/c"))));
    }

    [Fact]
    public void A_hard_link_takes_the_place_of_what_has_its_name()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("a", data: "content").Add("b", data: "other").Add("b", '1', link: "a").Add("a", '1', link: "b").End());
        Assert.Equal(layer.Entry("a"), layer.Entry("b"));
        Assert.Equal(2u, layer["a"].LinkCount);
        Assert.Equal("content"u8.ToArray(), layer.ReadFile(layer.Entry("b")));
    }

    [Fact]
    public void A_replaced_file_lives_on_under_its_other_name()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("a", data: "one").Add("b", '1', link: "a").Add("a", data: "two").End());
        Assert.Equal("two"u8.ToArray(), layer.ReadFile(layer.Entry("a")));
        Assert.Equal("one"u8.ToArray(), layer.ReadFile(layer.Entry("b")));
        Assert.Equal((1u, 1u), (layer["a"].LinkCount, layer["b"].LinkCount));
    }

    [Fact]
    public void Hard_links_to_nothing_to_later_entries_to_directories_or_to_themselves_are_refused()
    {
        static void Refused(TestTar tar, string why) => Assert.Contains(why, BuiltLayer.RefusalOf(tar.End()), StringComparison.Ordinal);
        Refused(new TestTar().Directory("d").Add("a", '1', link: "d"), "hard link to the directory \"d\"");
        Refused(new TestTar().Add("a", '1', link: "nowhere"), "hard link to \"nowhere\", which no entry before it has made");
        Refused(new TestTar().Add("a", '1', link: "b").Add("b"), "no entry before it");
        Refused(new TestTar().Add("a", '1', link: "b").Add("b", '1', link: "a"), "no entry before it");
        Refused(new TestTar().Add("a").Add("a", '1', link: "a"), "no entry before it");
        Refused(new TestTar().Add("a/b").Add("a", '1', link: "a/b"), "no entry before it");
    }

    [Fact]
    public void Times_outside_of_what_go_can_say_become_1970()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax(("mtime", "-1")).Add("before")
                .Pax(("mtime", "9223372036.854775807")).Add("last").Pax(("mtime", "9223372036.854775808")).Add("behind").End());
        Assert.Equal((0L, 0u), (layer["before"].MtimeSeconds, layer["before"].MtimeNanoseconds));
        Assert.Equal((9223372036L, 854775807u), (layer["last"].MtimeSeconds, layer["last"].MtimeNanoseconds));
        Assert.Equal((0L, 0u), (layer["behind"].MtimeSeconds, layer["behind"].MtimeNanoseconds));
    }

    [Fact]
    public void A_replaced_directorys_time_goes_to_what_has_its_name_in_the_end()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Directory("d", mtime: 5).Add("d", mtime: 6)
            .Directory("e", mtime: 7).Directory("usr", mtime: 8).Add("e", '2', link: "usr", mtime: 9)
            .Directory("later", mtime: 3).Add("later").Directory("later", mtime: 4).End());
        Assert.Equal((TocEntryType.File, 5L), (layer["d"].Type, layer["d"].MtimeSeconds));
        Assert.Equal((TocEntryType.SymbolicLink, 9L), (layer["e"].Type, layer["e"].MtimeSeconds));
        Assert.Equal(8L, layer["usr"].MtimeSeconds); // its own header came later
        Assert.Equal(4L, layer["later"].MtimeSeconds);

        using var other = BuiltLayer.Of(new TestTar()
            .Directory("usr", mtime: 8).Directory("e", mtime: 7).Add("e", '2', link: "usr", mtime: 9).End());
        Assert.Equal(7L, other["usr"].MtimeSeconds);
    }

    [Fact]
    public void A_directory_whose_parent_was_replaced_is_refused_for_its_time_finds_nothing()
    {
        foreach (var over in (char[])['0', '2'])
        {
            var tar = new TestTar().Directory("a").Directory("a/b").Add("a", over, link: over == '2' ? "nowhere" : "").End();
            Assert.Matches("leads to nothing|on the way is not a directory", BuiltLayer.RefusalOf(tar));
        }
    }

    [Theory]
    [InlineData("d/e", "d/e")]
    [InlineData("d/e", "d")]
    public void A_left_out_directory_that_is_replaced_is_refused_for_its_place_below_would_be_forgotten(string leftOut, string replaced) =>
        Assert.Contains("leaves out is replaced", BuiltLayer.RefusalOf(
            new TestTar().Add($"{leftOut}/f").Add(replaced).End()), StringComparison.Ordinal);

    [Fact]
    public void Xattrs_that_would_not_reach_the_disk_are_dropped()
    {
        (string, string)[] xattrs = [(
            "SCHILY.xattr.trusted.x", "1"), ("SCHILY.xattr.user.x", "2"), ("SCHILY.xattr.security.x", "3"), ("SCHILY.xattr.unknown", "4")];
        using var layer = BuiltLayer.Of(
            new TestTar().Pax(xattrs).Add("file").Pax(xattrs).Add("link", '2', link: "x").Pax(xattrs).Directory("dir").End());
        Assert.Equal("security.x=3 user.x=2", Xattrs(layer, "file"));
        Assert.Equal("security.x=3", Xattrs(layer, "link"));
        Assert.Equal("security.x=3 user.x=2", Xattrs(layer, "dir"));
    }

    [Fact]
    public void Directories_count_their_subdirectories_as_links()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("d/a/x").Directory("d/b").Add("d/f").End());
        Assert.Equal((3u, 4u, 2u), (layer.Toc[0].LinkCount, layer["d"].LinkCount, layer["d/b"].LinkCount));
    }

    [Fact]
    public void Lookups_know_no_more_than_they_should()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("d/f").End());
        Assert.True(layer.Toc.TryResolve("/d/./f"u8, out _));
        Assert.True(layer.Toc.TryResolve(""u8, out var root) && root == 0);
        Assert.False(layer.Toc.TryResolve("d/f/x"u8, out _));
        Assert.False(layer.Toc.TryResolve("d/../d"u8, out _));
        Assert.False(layer.Toc.TryFind(0, ""u8, out _));
        Assert.Equal(0, layer.Toc.ChildCount(layer.Entry("d/f")));
        Assert.True(layer.Toc.LinkTarget(0).IsEmpty);
        Assert.Empty(layer.Toc.Extents(layer.Entry("d/f")));
        Assert.Throws<ArgumentOutOfRangeException>(() => layer.Toc.ChildEntry(0, 1));
    }

    /// <summary>All paths, in the order of their entries.</summary>
    private static IEnumerable<string> Paths(BuiltLayer layer) =>
        Enumerable.Range(1, layer.Toc.Count - 1).Select(entry => Encoding.Latin1.GetString(layer.Toc.PathOf(entry)));

    private static string Xattrs(BuiltLayer layer, string path) => string.Join(
        ' ', layer.Toc.Xattrs(layer.Entry(path))
            .Select(xattr => $"{Encoding.Latin1.GetString(xattr.Name.Span)}={Encoding.Latin1.GetString(xattr.Value.Span)}"));
}
