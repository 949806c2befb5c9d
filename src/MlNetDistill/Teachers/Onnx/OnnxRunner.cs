using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A session whose input is copied from a tensor, and whose outputs are copied to tensors.</summary>
internal sealed class OnnxRunner : IDisposable
{
    private readonly SessionOptions _options;
    private readonly CancellationToken _cancellation;
    private OrtValue? _input;
    private long[] _inputShape = [];

    private OnnxRunner(InferenceSession session, SessionOptions options, CancellationToken cancellation) =>
        (Session, _options, _cancellation) = (session, options, cancellation);

    public InferenceSession Session { get; }

    /// <summary>Time limit of a run; null for none.</summary>
    public TimeSpan? Limit { get; set; }

    /// <param name="source">The model.</param>
    /// <param name="layout">Its external files and custom operators, for messages.</param>
    /// <param name="device">The device; null for the CPU.</param>
    /// <param name="warn">Receives a warning if the GPU is not available.</param>
    /// <param name="cancellation">Cancels loading and every run.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime cannot load the model, or the GPU is not available.</exception>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public static OnnxRunner Open(OnnxSource source, OnnxLayout layout, TrainingDevice? device, Action<string> warn, CancellationToken cancellation)
    {
        var (options, gpu) = OnnxDevice.CreateOptions(device, source.Title, warn);
        try
        {
            try
            {
                return new OnnxRunner(Session(options), options, cancellation);
            }
            catch (OnnxRuntimeException e) when (gpu && e.Message.Contains("CUDA", StringComparison.OrdinalIgnoreCase))
            {
                options.Dispose();
                options = OnnxDevice.Fallback(device!, source.Title, e, warn);
                return new OnnxRunner(Session(options), options, cancellation);
            }
        }
        catch
        {
            options.Dispose();
            throw;
        }

        InferenceSession Session(SessionOptions sessionOptions)
        {
            try
            {
                using var registration = cancellation.Register(() => sessionOptions.SetLoadCancellationFlag(true));
                return source.FilePath is { } path ? new InferenceSession(path, sessionOptions) : new InferenceSession(source.Content, sessionOptions);
            }
            catch (OnnxRuntimeException) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException("Distillation was cancelled.", cancellation);
            }
            catch (OnnxRuntimeException e) when (!gpu || !e.Message.Contains("CUDA", StringComparison.OrdinalIgnoreCase))
            {
                throw OnnxFault.CreateLoadingError(source.Title, layout, e);
            }
            finally
            {
                GC.KeepAlive(sessionOptions);
            }
        }
    }

    /// <summary>Runs the model. Its outputs are on the CPU, in the current dispose scope.</summary>
    /// <param name="input">Name of the input.</param>
    /// <param name="rows">The input: contiguous, on the CPU.</param>
    /// <param name="outputs">Names of the outputs, tensors of floating-point numbers.</param>
    /// <exception cref="TimeoutException">It took longer than <see cref="Limit"/>.</exception>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public Tensor[] Run(string input, Tensor rows, IReadOnlyList<string> outputs)
    {
        var value = GetInput(rows);
        rows.bytes.CopyTo(value.GetTensorMutableRawData());
        GC.KeepAlive(rows);
        using var values = RunSession(input, value, outputs);
        GC.KeepAlive(value);
        return [.. values.Select(Copy)];
    }

    public void Dispose()
    {
        _input?.Dispose();
        Session.Dispose();
        _options.Dispose();
    }

    private IDisposableReadOnlyCollection<OrtValue> RunSession(string input, OrtValue value, IReadOnlyList<string> outputs)
    {
        using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using var limited = Limit is not null ? CancellationTokenSource.CreateLinkedTokenSource(_cancellation) : null;
        limited?.CancelAfter(Limit!.Value);
        using var registration = (limited?.Token ?? _cancellation).Register(() => options.Terminate = true);
        try
        {
            return Session.Run(options, [input], [value], outputs);
        }
        catch (OnnxRuntimeException) when (_cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("Distillation was cancelled.", _cancellation);
        }
        catch (OnnxRuntimeException e) when (limited?.IsCancellationRequested == true)
        {
            throw new TimeoutException(e.Message, e);
        }
    }

    /// <summary>The memory of the input, which is reused as long as the rows have the same shape.</summary>
    private OrtValue GetInput(Tensor rows)
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

    private static Tensor Copy(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        var copy = empty(info.Shape, OnnxNames.ToScalarType(info.ElementDataType)!.Value, CPU);
        if (copy.numel() > 0)
            value.GetTensorMutableRawData().CopyTo(copy.bytes);
        GC.KeepAlive(value);
        return copy;
    }
}
