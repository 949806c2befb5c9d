using System.Globalization;
using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers.Onnx;

/// <summary>The classifiers of the Models folder and the rows that go with them.</summary>
internal static class RealModels
{
    public static string Path(string file) => System.IO.Path.Combine(AppContext.BaseDirectory, "Models", file);

    public static OnnxModel Open(
        string file, InputShape shape, bool isByte = false, float? scale = null, OnnxOutputs? outputs = null, int batchSize = 64, Action<string>? warn = null) =>
        OnnxModel.Open(OnnxSource.FromFile(Path(file)), outputs ?? new OnnxOutputs(), shape, isByte, new TeacherInput { Scale = scale }, null, batchSize,
            warn ?? (line => Assert.Fail($"Nothing to warn of: {line}")));

    /// <summary>CIFAR-100 pictures as bytes 256×3×32×32, and their fine labels.</summary>
    public static (Tensor Rows, int[] Labels) Pictures()
    {
        const int Record = 2 + (3 * 32 * 32);
        var records = File.ReadAllBytes(Path("cifar100-first256.bin")).Chunk(Record).ToArray();
        return (tensor(records.SelectMany(r => r[2..]).ToArray()).reshape(-1, 3, 32, 32), [.. records.Select(r => (int)r[1])]);
    }

    public static (Tensor Rows, int[] Labels) Digits() => (
        tensor(File.ReadAllBytes(Path("mnist-first200-images.bin"))).reshape(-1, 784),
        [.. File.ReadAllBytes(Path("mnist-first200-labels.bin")).Select(b => (int)b)]);

    public static (Tensor Rows, int[] Labels) Letters()
    {
        var lines = File.ReadAllLines(Path("letter-16001-16500.csv")).Select(l => l.Split(',')).ToArray();
        return (tensor(lines.SelectMany(l => l.Skip(1).Select(Number)).ToArray()).reshape(-1, 16), [.. lines.Select(l => l[0][0] - 'A')]);
    }

    public static (Tensor Rows, int[] Labels) Irises()
    {
        string[] names = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"];
        var lines = File.ReadAllLines(Path("iris.data")).Where(l => l != "").Select(l => l.Split(',')).ToArray();
        return (tensor(lines.SelectMany(l => l.Take(4).Select(Number)).ToArray()).reshape(-1, 4), [.. lines.Select(l => Array.IndexOf(names, l[4]))]);
    }

    public static Tensor GoldenLogits() =>
        tensor(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path("cifar100-resnet56-first256-logits.f32"))).ToArray()).reshape(256, 100);

    public static int Right(Tensor logits, int[] labels) => logits.argmax(1).data<long>().Zip(labels).Count(p => p.First == p.Second);

    public static float Difference(Tensor a, Tensor b) => a.sub(b).abs().max().item<float>();

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);
}
