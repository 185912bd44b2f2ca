using System.Text;
using LazySnapshotter.Artifacts.Sources;

namespace LazySnapshotter.Artifacts.Tests.Sources;

public sealed class OciDocumentKindTests
{
    [Theory]
    [InlineData("""{"manifests":[]}""", true)]
    [InlineData("""{"layers":[]}""", false)]
    [InlineData("[]", false)]
    public void An_index_has_manifests(string document, bool isIndex) =>
        Assert.Equal(isIndex, OciDocumentKind.IsIndex(Encoding.UTF8.GetBytes(document), "x"));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"\ud800 and more":1}""")]
    public void What_is_no_document_is_told_as_such(string document) => Assert.StartsWith(
        "x: ", Assert.Throws<InvalidDataException>(() => OciDocumentKind.IsIndex(Encoding.UTF8.GetBytes(document), "x")).Message,
        StringComparison.Ordinal);
}
