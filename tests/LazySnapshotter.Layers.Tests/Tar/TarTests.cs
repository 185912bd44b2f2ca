using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Tar;

// What single headers mean: hand-made tars for what GNU tar does not write, seen through a whole index.
public sealed class TarTests
{
    [Fact]
    public void A_ustar_prefix_comes_before_the_name()
    {
        using var layer = BuiltLayer.Of(
            new TestTar().Add("name", data: "x", tweak: header => TestTar.Put(header, 345, "some/prefix")).End());
        Assert.Equal("x"u8.ToArray(), layer.ReadFile(layer.Entry("some/prefix/name")));
    }

    [Fact]
    public void A_star_header_has_a_shorter_prefix_and_times_behind_it()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("name", tweak: header =>
        {
            TestTar.Put(header, 345, new string('p', 131));
            TestTar.Put(header, 476, TestTar.Octal(99, 11) + " " + TestTar.Octal(98, 11) + " ");
            TestTar.Put(header, 508, "tar\0");
        }).End());
        Assert.Equal(TocEntryType.File, layer[new string('p', 131) + "/name"].Type);
    }

    [Fact]
    public void A_gnu_header_with_a_prefix_where_its_times_belong_is_read_as_old_docker_meant_it()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("name", tweak: header =>
        {
            TestTar.Put(header, 257, "ustar  \0");
            TestTar.Put(header, 345, "a/directory");
        }).End());
        Assert.Equal(TocEntryType.File, layer["a/directory/name"].Type);
    }

    [Fact]
    public void A_regular_old_entry_with_a_trailing_slash_is_a_directory()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("dir/", '\0', tweak: V7)
            .Add("dir/file", '\0', "content", tweak: V7).End());
        Assert.Equal(TocEntryType.Directory, layer["dir"].Type);
        Assert.Equal("content"u8.ToArray(), layer.ReadFile(layer.Entry("dir/file")));
    }

    [Fact]
    public void Base_256_numbers_go_beyond_octal_and_below_zero()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("large-owner", tweak: header => TestTar.Put(header, 108, 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE))
            .Add("future", tweak: header => TestTar.Put(header, 136, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1))
            .Add("past", tweak: header => TestTar.Put(header, 136, [.. Enumerable.Repeat((byte)0xFF, 11), 0x00])).End());
        Assert.Equal(4294967294u, layer["large-owner"].Uid);
        Assert.Equal(0x2_0000_0001L, layer["future"].MtimeSeconds);
        Assert.Equal(0L, layer["past"].MtimeSeconds); // containerd moves times before 1970 there
    }

    [Theory]
    [InlineData("0000644\0", 0x1A4)]
    [InlineData("   644 \0", 0x1A4)]
    [InlineData("644\0junk", 0x1A4)]
    [InlineData("\0\0\0\0\0\0\0\0", 0)]
    [InlineData("100644 \0", 0x1A4)]
    [InlineData("7777777\0", 0xFFF)]
    public void Octal_fields_may_be_padded_with_spaces_and_nuls(string field, uint mode)
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("file", tweak: header => TestTar.Put(header, 100, field)).End());
        Assert.Equal(mode, layer["file"].Mode);
    }

    [Fact]
    public void A_checksum_over_signed_bytes_is_a_checksum()
    {
        var header = new TestTar().Add("caf\xe9").WithoutEnd();
        TestTar.Seal(header, signed: true);
        using var layer = BuiltLayer.Of(new TestTar().Raw(header).End());
        Assert.True(layer.Toc.TryFind(0, [(byte)'c', (byte)'a', (byte)'f', 0xE9], out _));
    }

    [Fact]
    public void Pax_records_overrule_the_header_and_xattrs_are_raw_bytes()
    {
        var value = new string([.. Enumerable.Range(0, 256).Select(i => (char)i)]);
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax(("path", "real/name\xff"), ("size", "3"), ("uid", "70000"), ("gid", "4000000000"), ("mtime", "1234567890.123456789123"),
                ("SCHILY.xattr.user.all", value), ("SCHILY.xattr.user.k=v", ""), ("comment", "a\nb"), ("linkpath", ""))
            .Add("short", data: "abc", size: 0).End());
        Assert.True(layer.Toc.TryFind(layer.Entry("real"), [.. "name"u8, 0xFF], out var entry));
        var status = layer.Toc[entry];
        Assert.Equal((70000u, 4000000000u, 1234567890L, 123456789u, 3L),
            (status.Uid, status.Gid, status.MtimeSeconds, status.MtimeNanoseconds, status.Size));
        Assert.Equal("abc"u8.ToArray(), layer.ReadFile(entry));
        var xattrs = layer.Toc.Xattrs(entry);
        Assert.Equal("user.all"u8.ToArray(), xattrs[0].Name.ToArray());
        Assert.Equal(Enumerable.Range(0, 256).Select(i => (byte)i), xattrs[0].Value.ToArray());
        Assert.Equal(2, xattrs.Count); // "user.k" with the value "v=" : a key ends at the first equals sign
        Assert.Equal(("user.k", "v="), (Text(xattrs[1].Name), Text(xattrs[1].Value)));
    }

    [Fact]
    public void Global_pax_records_are_not_applied_just_as_containerd_does_not_apply_them()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("made/for/it", 'g', TestTar.PaxRecord("uid", "77") + TestTar.PaxRecord("mtime", "x"))
            .Add("file").End());
        Assert.Equal(0u, layer["file"].Uid);
        Assert.True(layer["made/for"].IsImplicit);
        Assert.False(layer.Toc.TryResolve("made/for/it"u8, out _));
    }

    [Fact]
    public void A_global_path_is_the_name_of_the_global_header_itself()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("gone").Add("not/made", 'g', TestTar.PaxRecord("path", "made/for/it"))
                .Add("g", 'g', TestTar.PaxRecord("path", "gone")).Add("file").End());
        Assert.True(layer["made/for"].IsImplicit);
        Assert.False(layer.Toc.TryResolve("not"u8, out _));
        Assert.False(layer.Toc.TryResolve("gone"u8, out _));
        Assert.True(layer.Toc.TryResolve("file"u8, out _));
    }

    [Fact]
    public void Gnu_long_names_and_links_may_both_come_before_an_entry()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('d', 100), 5));
        var target = new string('t', 2000);
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("././@LongLink", 'K', target + "\0")
            .Add("././@LongLink", 'L', name + "\0")
            .Add(name[..100], '2', link: target[..100])
            .Add("next").End());
        Assert.Equal(TestTar.Bytes(target), layer.Toc.LinkTarget(layer.Entry(name)).ToArray());
        Assert.Equal(2000, layer[name].Size);
        Assert.Equal(TocEntryType.File, layer["next"].Type);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_hard_link_may_or_may_not_bring_its_data_along(bool withData)
    {
        var tar = new TestTar().Add("file", data: "content").Add("link", '1', link: "file", size: 7);
        if (withData)
            tar.Data("content");
        using var layer = BuiltLayer.Of(tar.Add("next", data: "behind").End());
        Assert.Equal(layer.Entry("file"), layer.Entry("link"));
        Assert.Equal(2u, layer["link"].LinkCount);
        Assert.Equal("behind"u8.ToArray(), layer.ReadFile(layer.Entry("next")));
    }

    [Fact]
    public void Headers_of_things_without_data_may_state_a_size()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Add("dir", '5', size: 4096).Add("link", '2', link: "x", size: 1).Add("fifo", '6', size: 99).Add("file", data: "x").End());
        Assert.Equal("x"u8.ToArray(), layer.ReadFile(layer.Entry("file")));
    }

    [Fact]
    public void The_closing_blocks_may_be_missing_and_anything_may_lie_behind_them()
    {
        var tar = new TestTar().Add("file", data: "x");
        using (var layer = BuiltLayer.Of(tar.WithoutEnd()))
            Assert.Equal(2, layer.Toc.Count);
        using (var layer = BuiltLayer.Of([.. tar.WithoutEnd(), .. new byte[512]]))
            Assert.Equal(2, layer.Toc.Count);
        using (var layer = BuiltLayer.Of([.. tar.End(), .. TestTar.Bytes("no header")]))
            Assert.Equal(2, layer.Toc.Count);
        using (var layer = BuiltLayer.Of(new byte[1024]))
            Assert.Equal(1, layer.Toc.Count);
    }

    [Fact]
    public void Sparse_map_1_0_may_span_blocks_and_end_anywhere_in_one()
    {
        var pieces = Enumerable.Range(0, 200).Select(i => (Offset: i * 1000L, Length: 10L)).ToArray();
        var map = $"{pieces.Length}\n" + string.Concat(pieces.Select(piece => $"{piece.Offset}\n{piece.Length}\n"));
        var data = string.Concat(Enumerable.Range(0, 200).Select(i => $"piece {i:D4}"));
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "holes"), ("GNU.sparse.realsize", "250000"))
            .Add("GNUSparseFile.0/holes", size: (map.Length + 511) / 512 * 512 + data.Length)
            .Data(map).Data(data).Add("next").End());
        var content = layer.ReadFile(layer.Entry("holes"));
        Assert.Equal(250000, content.Length);
        Assert.Equal("piece 0123"u8.ToArray(), content[123000..123010]);
        Assert.Equal(2000, content.Count(value => value != 0));
        Assert.Equal(123, layer.Toc.Extents(layer.Entry("holes")).FindFirstBehind(122010));
        Assert.Equal(TocEntryType.File, layer["next"].Type);
    }

    [Fact]
    public void Device_numbers_are_not_in_a_v7_header()
    {
        using var layer = BuiltLayer.Of(new TestTar().Add("device", '3', tweak: header =>
        {
            V7(header);
            TestTar.Put(header, 329, "junk");
        }).End());
        Assert.True(layer["device"].IsWhiteout);
    }

    [Fact]
    public void Numbers_as_they_come()
    {
        Assert.True(TarNumber.TryParseTime("-1.25"u8, out var seconds, out var nanoseconds));
        Assert.Equal((-2L, 750_000_000u), (seconds, nanoseconds));
        Assert.True(TarNumber.TryParseTime("5"u8, out seconds, out nanoseconds));
        Assert.Equal((5L, 0u), (seconds, nanoseconds));
        Assert.True(TarNumber.TryParseDecimal("9223372036854775807"u8, out var value));
        Assert.Equal(long.MaxValue, value);
        Assert.False(TarNumber.TryParseDecimal("9223372036854775808"u8, out _));
        Assert.False(TarNumber.TryParseDecimal("1 "u8, out _));
        Assert.False(TarNumber.TryParseDecimal("-"u8, out _));
        Assert.True(TarNumber.TryParseField([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], out value));
        Assert.Equal(-2, value);
        Assert.True(TarNumber.TryParseField([0x80, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], out value));
        Assert.Equal(long.MaxValue, value);
        Assert.False(TarNumber.TryParseField([0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0], out _));
    }

    private static void V7(byte[] header) => header.AsSpan(257).Clear();

    private static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.Latin1.GetString(bytes.Span);
}
