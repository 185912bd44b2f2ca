namespace LazySnapshotter.Codecs.Inflate;

// Where one call of Inflate is in its two buffers. Pointers, because the hot loop works with nothing else; they live no
// longer than the `fixed` statement around the call.
internal sealed unsafe partial class Inflater
{
    private enum Stop { EndOfBlock, NeedInput, OutputFull, Paused, Corrupt }

    // Sound: made from pinned buffers and bounds that were checked; whoever moves a pointer checks it against its end.
    private struct Cursor(byte* input, int inputLength, byte* buffer, int position, int limit, int pauseAt, long producedInBlock)
    {
        private readonly byte* _inputStart = input;
        private readonly byte* _outputStart = buffer + position;

        public byte* Input = input;
        public readonly byte* InputEnd = input + inputLength;

        /// <summary>The oldest byte a match may refer to.</summary>
        public readonly byte* Buffer = buffer;

        public byte* Output = buffer + position;
        public readonly byte* OutputLimit = buffer + limit;

        /// <summary>Where to pause; behind the limit: nowhere.</summary>
        public readonly byte* PauseAt = buffer + Math.Min(pauseAt, limit + 1L);

        /// <summary>
        /// Where in the buffer the current block has started; before the buffer if that was long ago. Never read through.
        /// </summary>
        public nint BlockStart = (nint)(buffer + position) - (nint)producedInBlock;

        public readonly int Consumed => (int)(Input - _inputStart);

        public readonly int Produced => (int)(Output - _outputStart);

        public readonly long InputLeft => InputEnd - Input;

        public readonly long OutputLeft => OutputLimit - Output;

        /// <summary>Not negative.</summary>
        public readonly long PauseLeft => Math.Max(0, PauseAt - Output);

        public readonly long ProducedInBlock => (nint)Output - BlockStart;
    }
}
