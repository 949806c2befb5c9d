using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>Every loss on the same outputs: values and gradients of the device against those of the CPU in double precision.</summary>
internal static class LossChecks
{
    private const int Classes = 7;
    private const double Double = 1e-9, Single = 2e-4;

    private static readonly (string Name, DistillationLoss Loss)[] Losses =
    [
        ("cross-entropy", new CrossEntropyLoss()),
        ("KD at 1", new KdLoss(1)),
        ("ArcFace", new ArcFaceLoss(Classes)),
        ("CosFace", new CosFaceLoss(Classes)),
        // SimKD on maps needs a student whose last map is pooled to its embedding; it is trained among the methods.
        .. EveryLoss.All.Where(loss => loss.Value is not SimKdLoss { On: SimKdFeatures.LastMap }).Select(loss => (loss.Key, loss.Value)),
    ];

    public static IEnumerable<Check> Create(Settings settings) => Losses.Select(l => new Check($"loss: {l.Name}", () => Compare(settings, l.Loss)));

    private static string Compare(Settings settings, DistillationLoss loss)
    {
        var figures = new List<string>();
        var weights = loss.CanUseWeights ? new[] { false, true } : [false];
        foreach (var weighted in weights)
        {
            var expected = Evaluate(loss, CPU, float64, weighted);
            var exact = Worst(expected, Evaluate(loss, settings.Device, float64, weighted));
            var single = Worst(expected, Evaluate(loss, settings.Device, float32, weighted));
            Fault.If(exact > Double || single > Single, $"{(weighted ? "with weights and missing labels " : "")}differs by {Numbers.Text(exact)} in double precision, {Numbers.Text(single)} in single");
            figures.Add($"{Numbers.Text(exact)} double, {Numbers.Text(single)} single{(weighted ? " with weights and missing labels" : "")}");
        }

        return string.Join("; ", figures);
    }

    // As one vector: the gradient of a bias before batch normalisation is rounding alone.
    private static double Worst(IReadOnlyList<double[]> expected, IReadOnlyList<double[]> found) =>
        Math.Max(Numbers.Difference(expected[0], found[0]), Numbers.Difference([.. expected.Skip(1).SelectMany(v => v)], [.. found.Skip(1).SelectMany(v => v)]));

    /// <summary>The value, the gradient of each of the student's outputs and of the projections, and where the loss states its gradient that one too.</summary>
    private static List<double[]> Evaluate(DistillationLoss loss, Device device, ScalarType type, bool weighted)
    {
        const int Rows = 12;
        using var scope = NewDisposeScope();
        Tensor Made(ulong seed, params long[] shape) => Numbers.Normal(seed, [Rows, .. shape]).to(type).to(device);
        var logits = Made(1, Classes).requires_grad_(true);
        var embedding = Made(2, 16).requires_grad_(true);
        // A graph needs features after a rectifier.
        Tensor Map(ulong seed, params long[] shape) => loss is GraphKdLoss ? Made(seed, shape).abs() : Made(seed, shape);
        Tensor[] stages = [Map(3, 4, 8, 8).requires_grad_(true), Map(4, 3, 4, 4).requires_grad_(true)];
        // Other widths only where the loss has projections to bridge them.
        var wider = loss is HintLoss or StageFeatureLoss ? 3 : 0;
        Tensor[] taught = [Map(7, 4 + wider, 8, 8), Map(8, 3 + wider, 4, 4)];
        var student = new NetworkOutput(logits, embedding, stages);
        var teacher = new NetworkOutput(Made(5, Classes), Made(6, 16), taught);
        var labels = tensor(Enumerable.Range(0, Rows).Select(i => weighted && i % 4 == 3 ? -100L : i % Classes).ToArray()).to(device);
        var weights = weighted ? tensor(Enumerable.Range(0, Rows).Select(i => (i % 3) + 0.5).ToArray()).to(type).to(device) : null;
        using var generator = new Generator(9);
        var projections = loss.CreateProjections(Shapes(stages), Shapes(taught), generator);
        foreach (var projection in projections)
            projection.to(device).to(type);
        LossInputs Inputs() => new(student, teacher, labels, weights, weighted) { Projections = new Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> { [loss] = projections } };

        var value = loss.Evaluate(Inputs());
        value.backward();
        Tensor?[] gradients = [logits.grad, embedding.grad, .. stages.Select(s => s.grad), .. projections.SelectMany(p => p.parameters()).Select(p => p.grad)];
        List<double[]> all = [Numbers.Read(value), .. gradients.OfType<Tensor>().Select(Numbers.Read)];
        using (no_grad())
        {
            if (loss.EvaluateWithGradient(Inputs(), 0.7) is { } stated)
                all.AddRange(Numbers.Read(stated.Value.mul(stated.Scale)), Numbers.Read(stated.Gradient));
        }

        return all;
    }

    private static OutputShapes Shapes(Tensor[] stages) => new(Classes, 16, [.. stages.Select(s => s.shape[1..])]);
}
