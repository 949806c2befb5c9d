using Microsoft.ML;

namespace MlNetDistill.Export;

/// <summary>The size of a saved ML.NET model.</summary>
internal static class ModelSize
{
    /// <summary>Bytes that <c>Model.Save</c> writes; null for a model that cannot be saved. Nothing is kept.</summary>
    public static long? TryMeasure(MLContext context, ITransformer model, DataViewSchema schema)
    {
        using var counter = new CountingStream();
        try
        {
            ModelSaving.Save(context.TempFilePath, model, schema, counter);
        }
        // A fit does not need the size, so a model of another package whose Save fails in its own way must not end it; without a size there is no warning.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return null;
        }

        return counter.Length;
    }

    /// <summary>Counts what is written.</summary>
    private sealed class CountingStream : Stream
    {
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position
        {
            get => _length;
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _length += count;

        public override void Write(ReadOnlySpan<byte> buffer) => _length += buffer.Length;
    }
}
