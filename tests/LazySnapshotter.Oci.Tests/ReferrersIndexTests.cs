using System.Text;

namespace LazySnapshotter.Oci.Tests;

// The list of referrers under a tag is shared with every other tool: an edit touches one entry.
public sealed class ReferrersIndexTests
{
    private static readonly Digest One = Digest.OfSha256("one"u8);
    private static readonly Digest Two = Digest.OfSha256("two"u8);

    // As somebody else wrote it: spaces, unknown fields, odd numbers and escapes, fields in another order.
    private static readonly string Foreign = $$$"""
        { "annotations" : {"k":"\u00e4ä<"}, "x-unknown":[1.50, 1e2 , {"b":null}],
          "manifests": [ {"size":3,  "digest":"{{{One}}}", "mediaType":"m","x-future":{"a" : 1.0}} ], "schemaVersion":2 }
        """;

    [Fact]
    public void An_added_entry_leaves_all_others_as_they_were()
    {
        var entry = new Descriptor { MediaType = "m/n", Digest = Two, Size = 4, ArtifactType = "t", Annotations = new Dictionary<string,
            string> { ["a"] = "<b>" } };
        var added = ReferrersIndex.Add(Bytes(Foreign), entry, "list")!;
        Assert.Equal(
            $$$"""{"annotations":{"k":"\u00e4ä<"},"x-unknown":[1.50, 1e2 , {"b":null}],"manifests":[{"size":3,  "digest":"{{{One}}}", "mediaType":"m","x-future":{"a" : 1.0}},{"mediaType":"m/n","digest":"{{{Two}}}","size":4,"annotations":{"a":"\u003cb\u003e"},"artifactType":"t"}],"schemaVersion":2}""",
            Encoding.UTF8.GetString(added));
        Assert.Null(ReferrersIndex.Add(added, entry, "list"));
        Assert.Equal(2, OciJson.ReadIndex(added, "list").Manifests.Count);

        var removed = ReferrersIndex.Remove(added, One, "list", out var isEmpty)!;
        Assert.False(isEmpty);
        Assert.Equal(Two, Assert.Single(OciJson.ReadIndex(removed, "list").Manifests).Digest);
        Assert.Contains("""[1.50, 1e2 , {"b":null}]""", Encoding.UTF8.GetString(removed), StringComparison.Ordinal);
        Assert.Null(ReferrersIndex.Remove(removed, One, "list", out _));
        Assert.NotNull(ReferrersIndex.Remove(removed, Two, "list", out isEmpty));
        Assert.True(isEmpty);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"manifests":null}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""")]
    public void An_empty_list_is_a_list(string list)
    {
        var added = ReferrersIndex.Add(Bytes(list), new Descriptor { MediaType = "m", Digest = One, Size = 1 }, "list");
        Assert.Equal(
            $$$"""{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"{{{One}}}","size":1}]}""", Encoding.UTF8.GetString(added!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"manifests":{}}""")]
    [InlineData("""{"manifests":[],"manifests":[]}""")]
    [InlineData("""{"manifests":[}""")]
    [InlineData("""{"manifests":[],"\ud800":1}""")]
    public void What_is_no_list_is_not_touched(string text)
    {
        var error = Assert.Throws<InvalidDataException>(() => ReferrersIndex.Add(Bytes(text), Descriptor.EmptyJson, "the list of x"));
        Assert.StartsWith("the list of x: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Neither_is_a_list_with_text_that_is_not_UTF8()
    {
        byte[] index = [.. """{"manifests":[],"k":"x"""u8, 0xCB, .. "\"}"u8];
        Assert.Throws<InvalidDataException>(() => ReferrersIndex.Add(index, Descriptor.EmptyJson, "list"));
        Assert.Null(ReferrersIndex.Remove(index, One, "list", out _));
    }

    [Fact]
    public void The_tag_is_cut_to_what_a_tag_may_have()
    {
        Assert.Equal("sha256-" + One.Hex, ReferrersIndex.TagOf(One));
        Assert.Equal("sha512-" + new string('a', 64), ReferrersIndex.TagOf(Digest.Parse("sha512:" + new string('a', 128))));
    }

    [Fact]
    public void An_entry_takes_its_type_from_the_configuration_where_the_manifest_has_none()
    {
        var subject = new Descriptor { MediaType = "m", Digest = One, Size = 1 };
        var manifest = new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = Descriptor.EmptyJson with { MediaType = "config/type" },
            Layers = [],
            Subject = subject,
            Annotations = new Dictionary<string, string> { ["a"] = "b" },
        };
        var (to, entry) = ReferrersIndex.EntryOf(MediaTypes.OciManifest, OciJson.WriteManifest(manifest), "it");
        Assert.Equal(One, to);
        Assert.Equal(("config/type", "b"), (entry.ArtifactType, entry.Annotations!["a"]));
        Assert.Equal("own/type", ReferrersIndex.EntryOf(
            MediaTypes.OciManifest, OciJson.WriteManifest(manifest with { ArtifactType = "own/type" }), "it").Entry.ArtifactType);
        Assert.Null(ReferrersIndex.EntryOf(
            MediaTypes.OciIndex, OciJson.WriteIndex(new ImageIndex { Manifests = [], Subject = subject }), "it").Entry.ArtifactType);
        Assert.Throws<InvalidDataException>(
            () => ReferrersIndex.EntryOf(MediaTypes.OciManifest, OciJson.WriteManifest(manifest with { Subject = null }), "it"));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
