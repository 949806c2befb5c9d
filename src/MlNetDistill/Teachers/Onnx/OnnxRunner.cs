using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A session, fed from a tensor and read into tensors, each by one copy.</summary>
internal sealed class OnnxRunner : IDisposable
{
    // Kept as the session options are: the binding passes handles whose owner the collector may take.
    private static readonly RunOptions Options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    private readonly SessionOptions _options;
    private readonly bool _ownsOptions;
    private OrtValue? _input;
    private long[] _inputShape = [];

    private OnnxRunner(InferenceSession session, SessionOptions options, bool ownsOptions) => (Session, _options, _ownsOptions) = (session, options, ownsOptions);

    public InferenceSession Session { get; }

    /// <exception cref="InvalidOperationException">ONNX Runtime refuses the model, or the GPU cannot be had.</exception>
    public static OnnxRunner Open(OnnxSource source, OnnxLayout layout, TrainingDevice? device, Action<string> warn)
    {
        var (options, gpu) = OnnxDevice.Options(device, source.Title, warn);
        try
        {
            return new OnnxRunner(Session(options), options, gpu);
        }
        catch (OnnxRuntimeException e) when (gpu && e.Message.Contains("CUDA", StringComparison.OrdinalIgnoreCase))
        {
            options.Dispose();
            options = OnnxDevice.Fallback(device!, source.Title, e, warn);
            return new OnnxRunner(Session(options), options, ownsOptions: false);
        }

        InferenceSession Session(SessionOptions with)
        {
            try
            {
                return source.FilePath is { } path ? new InferenceSession(path, with) : new InferenceSession(source.Content, with);
            }
            catch (OnnxRuntimeException e) when (!gpu || !e.Message.Contains("CUDA", StringComparison.OrdinalIgnoreCase))
            {
                throw OnnxFault.AtLoading(source.Title, layout, e);
            }
            finally
            {
                GC.KeepAlive(with);
            }
        }
    }

    /// <summary>The outputs of that names, on the CPU, in the current dispose scope.</summary>
    /// <param name="input">Name of the input.</param>
    /// <param name="rows">What it reads: contiguous, on the CPU.</param>
    /// <param name="outputs">Names of the outputs, tensors of floating-point numbers.</param>
    public Tensor[] Run(string input, Tensor rows, IReadOnlyList<string> outputs)
    {
        var value = InputOf(rows);
        rows.bytes.CopyTo(value.GetTensorMutableRawData());
        GC.KeepAlive(rows);
        using var given = Session.Run(Options, [input], [value], outputs);
        GC.KeepAlive(value);
        return [.. given.Select(Copied)];
    }

    public void Dispose()
    {
        _input?.Dispose();
        Session.Dispose();
        if (_ownsOptions)
            _options.Dispose();
    }

    /// <summary>The input's memory, the same as long as the rows have the same shape.</summary>
    private OrtValue InputOf(Tensor rows)
    {
        if (_input is not null && _inputShape.AsSpan().SequenceEqual(rows.shape))
            return _input;
        _input?.Dispose();
        _inputShape = rows.shape;
        return _input = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, rows.dtype switch
        {
            ScalarType.Byte => Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.UInt8,
            ScalarType.Float16 => Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float16,
            ScalarType.Float64 => Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Double,
            _ => Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float,
        }, _inputShape);
    }

    private static Tensor Copied(OrtValue value)
    {
        var form = value.GetTensorTypeAndShape();
        var copy = empty(form.Shape, OnnxNames.TypeOf(form.ElementDataType)!.Value, CPU);
        if (copy.numel() > 0)
            value.GetTensorMutableRawData().CopyTo(copy.bytes);
        GC.KeepAlive(value);
        return copy;
    }
}
