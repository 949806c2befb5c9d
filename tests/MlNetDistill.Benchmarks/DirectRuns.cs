using Microsoft.ML.OnnxRuntime;

namespace MlNetDistill.Benchmarks;

/// <summary>A student's whole ONNX model, run by ONNX Runtime alone over rows that lie in one array.</summary>
internal sealed class DirectRuns<T> : IDisposable
    where T : unmanaged
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly string[] _input;
    private readonly string[] _output = ["Score"];
    private readonly OrtValue[] _batches;
    private readonly OrtValue[] _rows;
    private readonly OrtValue[] _scores;
    private readonly OrtValue[] _rowScores;

    public DirectRuns(byte[] model, T[] features, int width, int classes, int batchSize)
    {
        _session = new InferenceSession(model);
        _input = [_session.InputMetadata.Keys.Single()];
        _batches = [.. Enumerable.Range(0, features.Length / width / batchSize).Select(i => Tensor(features, i * batchSize, batchSize, width))];
        _rows = [.. Enumerable.Range(0, batchSize).Select(i => Tensor(features, i, 1, width))];
        _scores = [Tensor(new float[batchSize * classes], 0, batchSize, classes)];
        _rowScores = [Tensor(new float[classes], 0, 1, classes)];
    }

    public void RunAll()
    {
        foreach (var batch in _batches)
            _session.Run(_options, _input, [batch], _output, _scores);
    }

    public void RunOne(int row) => _session.Run(_options, _input, [_rows[row % _rows.Length]], _output, _rowScores);

    public void Dispose()
    {
        foreach (var value in _batches.Concat(_rows).Concat(_scores).Concat(_rowScores))
            value.Dispose();
        _options.Dispose();
        _session.Dispose();
    }

    private static OrtValue Tensor<TValue>(TValue[] values, int first, int rows, int width)
        where TValue : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values.AsMemory(first * width, rows * width), [rows, width]);
}
