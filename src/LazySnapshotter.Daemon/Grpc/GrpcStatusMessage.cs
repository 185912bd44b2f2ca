using System.Text;

namespace LazySnapshotter.Daemon.Grpc;

// The grpc-message trailer: UTF-8, percent-encoded outside printable ASCII (PROTOCOL-HTTP2.md, "Status-Message").
internal static class GrpcStatusMessage
{
    public static string Encode(string message)
    {
        var encoded = new StringBuilder(message.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in message.EnumerateRunes())
        {
            if (encoded.Length + 3 * utf8.Length > GrpcLimits.StatusMessageBytesMax)
                break;
            if (rune.Value is >= ' ' and <= '~' and not '%')
            {
                encoded.Append((char)rune.Value);
                continue;
            }

            foreach (var value in utf8[..rune.EncodeToUtf8(utf8)])
                encoded.Append('%').Append(Convert.ToHexString([value]));
        }

        return encoded.ToString();
    }

    // A decoder never fails (the specification says so): what is not an escape stays as it came.
    public static string Decode(string encoded)
    {
        if (!encoded.Contains('%', StringComparison.Ordinal))
            return encoded;

        var utf8 = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] == '%' && i + 2 < encoded.Length
                && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                utf8.AddRange(Convert.FromHexString(encoded.AsSpan(i + 1, 2)));
                i += 2;
            }
            else
            {
                utf8.AddRange(Encoding.UTF8.GetBytes(encoded, i, 1));
            }
        }

        return Encoding.UTF8.GetString([.. utf8]);
    }
}
