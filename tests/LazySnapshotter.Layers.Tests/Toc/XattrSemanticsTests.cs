using System.Text;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Toc;

// What is on the disk of an entry's extended attributes when containerd has unpacked it: chown, setxattr and chmod each leave
// their trace, and so does the directory it was created in. All expectations were read from files that containerd 1.6 unpacked.
public sealed class XattrSemanticsTests
{
    private const string Access = "SCHILY.xattr.system.posix_acl_access";
    private const string Default = "SCHILY.xattr.system.posix_acl_default";
    private const string CapabilityName = "SCHILY.xattr.security.capability";
    private const string Capability = "\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    [Theory]
    [InlineData("640", "u:6 u1234:4 g:0 m:4 o:0")]
    [InlineData("600", "u:6 u1234:4 g:0 m:0 o:0")]
    [InlineData("755", "u:7 u1234:4 g:0 m:5 o:5")]
    public void The_mode_has_the_last_word_in_an_acl(string mode, string shown)
    {
        var tar = new TestTar().Pax((Access, Acl("u:6 u1234:4 g:0 m:4 o:0"))).Add("f", mode: Convert.ToInt32(mode, 8)).End();
        using var layer = BuiltLayer.Of(tar);
        Assert.Equal(Acl(shown), Xattr(layer, "f", "system.posix_acl_access"));
    }

    [Fact]
    public void A_hard_links_header_changes_the_acl_and_takes_the_capability()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax((Access, Acl("u:6 u1234:4 g:0 m:4 o:0")), (CapabilityName, Capability), ("SCHILY.xattr.user.x", "kept"))
            .Add("f", mode: 0x1A0).Add("g", '1', link: "f", mode: 0x180)
            .Pax((CapabilityName, Capability)).Add("h").Pax((CapabilityName, Capability)).Add("i", '1', link: "h").End());
        Assert.Equal(Acl("u:6 u1234:4 g:0 m:0 o:0"), Xattr(layer, "f", "system.posix_acl_access"));
        Assert.Null(Xattr(layer, "f", "security.capability"));
        Assert.Equal("kept", Xattr(layer, "f", "user.x"));
        Assert.Equal(Capability, Xattr(layer, "h", "security.capability"));
    }

    [Fact]
    public void A_directory_keeps_its_capability_and_what_earlier_headers_set()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax((CapabilityName, Capability), ("SCHILY.xattr.user.x", "1")).Directory("d").Directory("d").End());
        Assert.Equal(Capability, Xattr(layer, "d", "security.capability"));
        Assert.Equal("1", Xattr(layer, "d", "user.x"));
    }

    [Theory]
    [InlineData("u:7 g:7 o:7")]
    [InlineData("")]
    public void An_acl_that_says_no_more_than_the_mode_is_none(string entries)
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax((Access, Acl(entries))).Add("f")
            .Pax((Access, Acl("u:7 u5:7 g:7 m:7 o:7"))).Directory("d").Pax((Access, Acl(entries))).Directory("d").End());
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("f")));
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("d")));
    }

    [Fact]
    public void An_acl_of_no_bytes_or_of_another_version_is_none()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax((Access, "")).Add("f").Pax((Access, "\x01\0\0\0")).Add("g").Pax((Default, Acl(""))).Add("h").End());
        foreach (var name in (string[])["f", "g", "h"])
            Assert.Empty(layer.Toc.Xattrs(layer.Entry(name)));
    }

    [Fact]
    public void Ids_that_mean_nothing_are_not_kept_and_the_order_of_named_users_is()
    {
        var written = Acl("u:6 u1234:4 u77:5 g:0 m:4 o:0").Replace("\xff\xff\xff\xff", "\0\0\0\0", StringComparison.Ordinal);
        using var layer = BuiltLayer.Of(new TestTar().Pax((Access, written)).Add("f", mode: 0x1A0).End());
        Assert.Equal(Acl("u:6 u1234:4 u77:5 g:0 m:4 o:0"), Xattr(layer, "f", "system.posix_acl_access"));
    }

    [Fact]
    public void A_default_acl_is_given_to_what_is_created_below()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("d/before").Pax((Default, Acl("u:7 u1234:7 g:5 m:7 o:1"))).Directory("d")
            .Add("d/f", mode: 0x1A0).Directory("d/e", 0x1C0).Add("d/e/p", '6', mode: 0x192).Add("d/l", '2', link: "f")
            .Add("d/i/g", mode: 0x1A4).Add("d/.wh.x").End());
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("d/before")));
        Assert.Null(Xattr(layer, "d", "system.posix_acl_access"));
        Assert.Equal(Acl("u:6 u1234:7 g:5 m:4 o:0"), Xattr(layer, "d/f", "system.posix_acl_access"));
        Assert.Null(Xattr(layer, "d/f", "system.posix_acl_default"));
        Assert.Equal(Acl("u:7 u1234:7 g:5 m:0 o:0"), Xattr(layer, "d/e", "system.posix_acl_access"));
        Assert.Equal(Acl("u:7 u1234:7 g:5 m:7 o:1"), Xattr(layer, "d/e", "system.posix_acl_default"));
        Assert.Equal(Acl("u:6 u1234:7 g:5 m:2 o:2"), Xattr(layer, "d/e/p", "system.posix_acl_access"));
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("d/l")));
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("d/x")));
        Assert.Equal(Acl("u:7 u1234:7 g:5 m:5 o:5"), Xattr(layer, "d/i", "system.posix_acl_access")); // implicit: made 0755
        Assert.Equal(Acl("u:6 u1234:7 g:5 m:4 o:4"), Xattr(layer, "d/i/g", "system.posix_acl_access"));
    }

    [Fact]
    public void A_default_acl_without_names_goes_to_directories_only()
    {
        using var layer = BuiltLayer.Of(new TestTar().Pax((Default, Acl("u:7 g:5 o:0"))).Directory("d").Add("d/f").Directory("d/e").End());
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("d/f")));
        Assert.Equal("system.posix_acl_default", Assert.Single(Names(layer, "d/e")));
    }

    [Theory]
    [InlineData("\x02\0\0", "no header")]
    [InlineData("\x02\0\0\0\x01\0", "inside an entry")]
    [InlineData("u:6 u1234:4 g:0 o:0", "complete and in order")] // a named user wants a mask
    [InlineData("g:0 u:6 o:0", "complete and in order")]
    [InlineData("u:6 g:0", "complete and in order")]
    [InlineData("u:6 g:0 o:0 o:0", "complete and in order")]
    [InlineData("u:14 g:0 o:0", "permissions 0xe")]
    [InlineData("u:6 u4294967295:4 g:0 m:4 o:0", "id 4294967295")]
    public void An_acl_the_kernel_refuses_is_refused(string acl, string complaint)
    {
        var value = acl.Contains(':', StringComparison.Ordinal) ? Acl(acl) : acl;
        foreach (var type in (char[])['0', '2', '5'])
            Assert.Contains(complaint, RefusalOf(Access, value, type), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_xattrs_the_kernel_refuses_are_refused()
    {
        Assert.Contains("default POSIX ACL", RefusalOf(Default, Acl("u:7 g:5 o:0")), StringComparison.Ordinal);
        Assert.Contains("no name behind", RefusalOf("SCHILY.xattr.user.", "x"), StringComparison.Ordinal);
        Assert.Contains("no name behind", RefusalOf("SCHILY.xattr.security.", "x"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("xx")]
    [InlineData("")]
    [InlineData("\x01\0\0\x01\0\x04\0\0\0\0\0\0")] // of a kernel before 2.6.25
    [InlineData("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("\x02\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("\x01\0\0\x03\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff")]
    public void A_file_capability_the_kernel_refuses_is_refused(string value) =>
        Assert.Contains("file capability", RefusalOf(CapabilityName, value), StringComparison.Ordinal);

    [Fact]
    public void An_acl_on_a_symbolic_link_is_passed_over()
    {
        using var layer = BuiltLayer.Of(new TestTar().Pax((Access, Acl("u:6 u1234:4 g:0 m:4 o:0"))).Add("l", '2', link: "x").End());
        Assert.Empty(layer.Toc.Xattrs(layer.Entry("l")));
    }

    /// <summary>As setxattr(2) takes it, from entries as in "u1234:4": u and g (without an id: the owner's), m, o; permissions.</summary>
    private static string Acl(string entries)
    {
        var acl = new StringBuilder("\x02\0\0\0");
        foreach (var entry in entries.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            var (who, permissions) = (entry[..colon], int.Parse(entry[(colon + 1)..], null));
            var tag = who[0] switch { 'u' => who.Length > 1 ? 2 : 1, 'g' => who.Length > 1 ? 8 : 4, 'm' => 16, _ => 32 };
            var id = who.Length > 1 ? uint.Parse(who[1..], null) : uint.MaxValue;
            acl.Append((char)tag).Append('\0').Append((char)permissions).Append('\0');
            for (var shift = 0; shift < 32; shift += 8)
                acl.Append((char)(id >> shift & 0xFF));
        }

        return acl.ToString();
    }

    private static string RefusalOf(string key, string value, char type = '0') =>
        BuiltLayer.RefusalOf(new TestTar().Pax((key, value)).Add("x", type, link: type == '2' ? "y" : "").End());

    private static IEnumerable<string> Names(BuiltLayer layer, string path) =>
        layer.Toc.Xattrs(layer.Entry(path)).Select(xattr => Encoding.Latin1.GetString(xattr.Name.Span));

    private static string? Xattr(BuiltLayer layer, string path, string name)
    {
        foreach (var xattr in layer.Toc.Xattrs(layer.Entry(path)))
        {
            if (Encoding.Latin1.GetString(xattr.Name.Span) == name)
                return Encoding.Latin1.GetString(xattr.Value.Span);
        }

        return null;
    }
}
