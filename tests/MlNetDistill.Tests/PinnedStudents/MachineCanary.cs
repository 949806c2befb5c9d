using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>
/// How this machine rounds: a hash of what TorchSharp, ML.NET and ONNX Runtime compute here without this library. Their kernels differ between processors, so
/// students are compared bit for bit only where this hash is the recorded one.
/// </summary>
internal static class MachineCanary
{
    public static string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var size in new[] { 3, 17, 64, 200 })
            Add(hash, Torch(size));
        Add(hash, MlNet());
        Add(hash, Onnx());
        Add(hash, [.. Enumerable.Range(1, 50).Select(i => (float)(Math.Cos(i * 0.1) + Math.Exp(-i * 0.1) + Math.Pow(0.1, i * 0.01) + Math.Log(i)))]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static void Add(IncrementalHash hash, float[] values) => hash.AppendData(MemoryMarshal.AsBytes<float>(values));

    public static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));

    /// <summary>The gradients of a chain of matrix products, convolutions and elementary functions.</summary>
    private static float[] Torch(int size)
    {
        using var scope = NewDisposeScope();
        var matrix = PinnedRun.Numbers(1, size, size).requires_grad_();
        var kernel = PinnedRun.Numbers(2, 4, 2, 3, 3).requires_grad_();
        var product = matrix.matmul(matrix.transpose(0, 1)).mul(1.0 / size);
        var rows = product.exp().log_softmax(1).sum().add(product.tanh().sum());
        var maps = nn.functional.conv2d(PinnedRun.Numbers(3, 3, 2, size, size).mul(matrix), kernel, padding: [1L, 1L]);
        var normal = maps.sub(maps.mean([0, 2, 3], keepdim: true)).div(maps.var([0, 2, 3], false, true).add(1e-5).sqrt());
        rows.add(normal.relu().mul(normal).sum()).backward();
        return [.. matrix.grad!.data<float>(), .. kernel.grad!.data<float>(), .. maps.detach().contiguous().data<float>()];
    }

    private static float[] MlNet()
    {
        using var run = new PinnedRun();
        return [.. PinnedTeachers.Regression(run).Fit(run.Points).Scores(run.Points).SelectMany(row => row)];
    }

    private static float[] Onnx()
    {
        using var session = new InferenceSession(RealRows.PathOf("iris-mlp.onnx"));
        var points = PinnedRun.PointRows();
        var input = new DenseTensor<float>(points.SelectMany(row => row.Features).ToArray(), [points.Length, 4]);
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], input)]);
        return [.. outputs.First(output => output.Value is Tensor<float>).AsTensor<float>()];
    }
}
