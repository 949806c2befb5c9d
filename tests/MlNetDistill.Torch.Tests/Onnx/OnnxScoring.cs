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

    /// <summary>A network in eval mode whose batch normalisation has statistics and weights unlike its initial zeros and ones.</summary>
    public static Network Perturbed(NetworkSpec spec, NetworkInput input, int classes)
    {
        var network = spec.Build(input, classes, seed: 4);
        using var generator = new Generator(8);
        using var noGrad = no_grad();
        foreach (var normalization in network.modules().OfType<BatchNormalization>())
            normalization.Perturb(generator);
        network.eval();
        return network;
    }
}
