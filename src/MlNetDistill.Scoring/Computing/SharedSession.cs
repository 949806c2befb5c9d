using Microsoft.ML.OnnxRuntime;

namespace MlNetDistill.Computing;

/// <summary>
/// A session of ONNX Runtime that several batches use at the same time. It is released when its owner and all users are done: releasing it during a run would end the
/// process.
/// </summary>
internal sealed class SharedSession : IDisposable
{
    private readonly Lock _lock = new();
    private readonly InferenceSession _session;
    private int _users = 1;
    private bool _isDisposed;

    /// <param name="model">The ONNX model, with one input and one output.</param>
    /// <param name="threads">Threads of a run; 0 for ONNX Runtime's choice.</param>
    public SharedSession(byte[] model, int threads)
    {
        // Errors are thrown; by default, ONNX Runtime would also write them to the console.
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        // Else its threads would keep the cores busy between two runs, while rows are read.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new InferenceSession(model, options);
        try
        {
            ((Input, IsByte, InputLength), (Output, _, OutputLength)) = (ReadOnly(_session.InputMetadata, "input"), ReadOnly(_session.OutputMetadata, "output"));
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>Name of the input, which is that of the feature column.</summary>
    public string Input { get; }

    public string Output { get; }

    /// <summary>Whether the input is bytes; floats otherwise.</summary>
    public bool IsByte { get; }

    public int InputLength { get; }

    public int OutputLength { get; }

    /// <summary>The only input or output: rows of floats or, as input, bytes.</summary>
    private static (string Name, bool IsByte, int Length) ReadOnly(IReadOnlyDictionary<string, NodeMetadata> nodes, string what)
    {
        if (nodes.Count == 1 && nodes.Single() is var (name, node) && node.IsTensor && node.Dimensions is [.., > 0 and var length]
            && (node.ElementType == typeof(float) || (what == "input" && node.ElementType == typeof(byte))))
            return (name, node.ElementType == typeof(byte), length);
        throw new InvalidDataException(
            $"The ONNX model of a student must have one {what}, rows of a fixed number of values; found {nodes.Count}: {string.Join(", ", nodes.Select(found => $"'{found.Key}' " +
            (found.Value.IsTensor ? $"{found.Value.ElementDataType} [{string.Join(", ", found.Value.Dimensions)}]" : $"{found.Value.OnnxValueType}")))}. Save the student again.");
    }

    /// <exception cref="ObjectDisposedException">The owner has disposed it.</exception>
    public void AddUser()
    {
        lock (_lock)
        {
            if (_isDisposed)
                throw StudentNetwork.CreateDisposedError();
            _users++;
        }
    }

    public void RemoveUser()
    {
        lock (_lock)
        {
            if (--_users == 0)
                _session.Dispose();
        }
    }

    public void Run(RunOptions options, string[] inputs, OrtValue[] values, string[] outputs, OrtValue[] results) =>
        _session.Run(options, inputs, values, outputs, results);

    /// <summary>Called by the owner.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }

        RemoveUser();
    }
}
