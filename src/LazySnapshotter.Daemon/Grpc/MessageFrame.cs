using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// A message as it lies in an HTTP/2 body (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). Compression is never offered,
// so a peer that sends the flag anyway breaks the contract.
//
//      0            1                              5
//      +------------+------------------------------+------------------
//      | compressed | length, big-endian           | protobuf message
//      +------------+------------------------------+------------------
internal static class MessageFrame
{
    private const int LengthOffset = 1;
    public const int HeaderLength = LengthOffset + sizeof(uint);

    public static void Write(IBufferWriter<byte> output, IMessage message)
    {
        var length = message.CalculateSize();
        if (length > GrpcLimits.MessageBytesMax)
            throw new GrpcException(StatusCode.ResourceExhausted, $"message of {length} bytes; the limit is {GrpcLimits.MessageBytesMax}");

        var header = output.GetSpan(HeaderLength);
        header[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(header[LengthOffset..], (uint)length);
        output.Advance(HeaderLength);
        message.WriteTo(output);
    }

    /// <summary>Takes one message off the front of <paramref name="input"/> if a whole one is there.</summary>
    public static bool TryRead<T>(ref ReadOnlySequence<byte> input, MessageParser<T> parser, out T? message)
        where T : class, IMessage<T>
    {
        message = null;
        if (input.Length < HeaderLength)
            return false;

        Span<byte> header = stackalloc byte[HeaderLength];
        input.Slice(0, HeaderLength).CopyTo(header);
        if (header[0] != 0)
            throw new GrpcException(StatusCode.Unimplemented, $"message flag {header[0]}: compressed messages are not supported");
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[LengthOffset..]);
        if (length > GrpcLimits.MessageBytesMax)
            throw new GrpcException(StatusCode.ResourceExhausted, $"message of {length} bytes; the limit is {GrpcLimits.MessageBytesMax}");
        if (input.Length < HeaderLength + length)
            return false;

        try
        {
            message = parser.ParseFrom(input.Slice(HeaderLength, length));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(StatusCode.Internal, $"message of {length} bytes is not a {typeof(T).Name}: {e.Message}", e);
        }

        input = input.Slice(HeaderLength + length);
        return true;
    }
}
