using System.Text;

namespace LazySnapshotter.Oci;

// The name of a stack of layers (OCI image-spec config.md, "Layer ChainID"): the diff ID for the lowest layer,
// then sha256 of "<chain below> <diff ID>". containerd names committed snapshots so.
public static class ChainId
{
    /// <param name="diffIds">Lowest layer first.</param>
    /// <returns>One chain ID per layer, each for the stack up to and including it.</returns>
    public static IReadOnlyList<Digest> ForEachLayer(IReadOnlyList<Digest> diffIds)
    {
        var chain = new Digest[diffIds.Count];
        for (var i = 0; i < chain.Length; i++)
            chain[i] = Of(i == 0 ? null : chain[i - 1], diffIds[i]);
        return chain;
    }

    /// <param name="parent">Chain ID of what the layer lies on; null for the lowest layer.</param>
    public static Digest Of(Digest? parent, Digest diffId) =>
        parent is null ? diffId : Digest.OfSha256(Encoding.ASCII.GetBytes($"{parent} {diffId}"));
}
