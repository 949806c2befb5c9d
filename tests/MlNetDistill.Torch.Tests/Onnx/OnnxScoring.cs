using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Exported models in ONNX Runtime.</summary>
internal sealed class OnnxScoring : IDisposable
{
    private readonly InferenceSession _session;

    public OnnxScoring(byte[] model)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new InferenceSession(model, options);
    }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    public IReadOnlyDictionary<string, NodeMetadata> Outputs => _session.OutputMetadata;

    /// <summary>One output for rows given as B×L values.</summary>
    public double[] Run(string input, torch.Tensor rows, string output)
    {
        int[] shape = [(int)rows.shape[0], (int)(rows.numel() / rows.shape[0])];
        var value = rows.dtype == ScalarType.Byte
            ? NamedOnnxValue.CreateFromTensor(input, new DenseTensor<byte>(rows.contiguous().data<byte>().ToArray(), shape))
            : NamedOnnxValue.CreateFromTensor(input, new DenseTensor<float>(rows.contiguous().data<float>().ToArray(), shape));
        using var results = _session.Run([value], [output]);
        return results[0].Value is Tensor<long> integers
            ? [.. integers.Select(v => (double)v)]
            : [.. results[0].AsEnumerable<float>().Select(v => (double)v)];
    }

    public void Dispose() => _session.Dispose();

    /// <summary>A network in eval mode whose normalisations have weights unlike their initial ones, and statistics near those of some rows.</summary>
    public static Network Perturbed(NetworkSpec spec, NetworkInput input, int classes)
    {
        using var scope = NewDisposeScope();
        var network = spec.Build(input, classes, seed: 4);
        using var generator = new Generator(8);
        Perturbation.Apply(network, Features(input, 16), generator);
        return network;
    }

    /// <summary>Rows of the kind a network reads: pixels, or numbers from -2 to 2.</summary>
    public static torch.Tensor Features(NetworkInput input, int rows)
    {
        using var generator = new Generator(17);
        var dimensions = input.Shape.Dimensions.Prepend(rows).ToArray();
        var values = empty(dimensions).uniform_(0, 256, generator);
        return input.IsByte ? values.floor().to(ScalarType.Byte) : values.div(64).sub(2);
    }
}
