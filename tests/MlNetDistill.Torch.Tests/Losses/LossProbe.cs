using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A loss on given outputs: its value and its gradient towards the student's outputs.</summary>
internal static class LossProbe
{
    /// <summary>A loss on logits.</summary>
    public static (double Value, double[] Gradient) Evaluate(
        DistillationLoss loss, Tensor student, Tensor? teacher, Tensor labels, Tensor? weights = null, bool mayMissLabels = false)
    {
        var (value, gradients) = Evaluate(loss, Logits([student]), teacher is null ? null : Logits([teacher]), labels, weights, mayMissLabels);
        return (value, gradients[0]);
    }

    /// <summary>The inputs of a step on logits, all labels 0.</summary>
    public static LossInputs Inputs(Tensor student, Tensor teacher, Tensor? weights = null) =>
        new(NetworkOutput.FromLogits(student), NetworkOutput.FromLogits(teacher), zeros(student.shape[0], int64), weights);

    /// <summary>A loss on embeddings.</summary>
    public static (double Value, double[] Gradient) OnEmbeddings(
        DistillationLoss loss, Tensor student, Tensor teacher, params nn.Module<Tensor, Tensor>[] projections)
    {
        var (value, gradients) = Evaluate(
            loss, new Outputs([student], Embedding), new Outputs([teacher], Embedding), zeros(student.shape[0], int64), projections: projections);
        return (value, gradients[0]);
    }

    /// <summary>A loss on stage features; the gradients are one for each of the student's.</summary>
    public static (double Value, double[][] Gradients) OnStages(
        DistillationLoss loss,
        IReadOnlyList<Tensor> student,
        IReadOnlyList<Tensor> teacher,
        Tensor? weights = null,
        params nn.Module<Tensor, Tensor>[] projections) => Evaluate(
            loss, new Outputs(student, Stages), new Outputs(teacher, Stages), zeros(student[0].shape[0], int64), weights, false, projections);

    /// <summary>Fails where anything of the loss sends a gradient to the teacher.</summary>
    public static void ExpectNoGradientAtTheTeacher(DistillationLoss loss, Outputs student, Outputs teacher)
    {
        using var scope = NewDisposeScope();
        var leaves = teacher.Tensors.Select(t => t.detach().clone().requires_grad_(true)).ToList();
        Evaluate(loss, student, teacher with { Tensors = leaves }, zeros(student.Tensors[0].shape[0], int64));
        Assert.That(leaves.Select(l => l.grad is null), Is.All.True, "gradient at the teacher");
    }

    /// <summary>Normal logits or features, the same for the same seed.</summary>
    public static Tensor Logits(int rows, int classes, ulong seed, double scale = 2, ScalarType type = ScalarType.Float64) =>
        Normal(seed, scale, type, rows, classes);

    /// <summary>Normal maps, the same for the same seed.</summary>
    public static Tensor Maps(int rows, int channels, int height, int width, ulong seed) =>
        Normal(seed, 1, ScalarType.Float64, rows, channels, height, width);

    public static Tensor Labels(params long[] labels) => tensor(labels);

    /// <summary>Labels 0, 1, 2, … over and over.</summary>
    public static Tensor CyclicLabels(int rows, int classes) => tensor(Enumerable.Range(0, rows).Select(i => (long)(i % classes)).ToArray());

    public static Outputs Logits(IReadOnlyList<Tensor> tensors) => new(tensors, t => NetworkOutput.FromLogits(t[0]));

    public static NetworkOutput Embedding(IReadOnlyList<Tensor> tensors) => new(embedding: tensors[0]);

    public static NetworkOutput Stages(IReadOnlyList<Tensor> tensors) => new(stageFeatures: tensors);

    /// <summary>A loss on any outputs; the gradients are one for each of the student's tensors.</summary>
    public static (double Value, double[][] Gradients) Evaluate(
        DistillationLoss loss,
        Outputs student,
        Outputs? teacher,
        Tensor labels,
        Tensor? weights = null,
        bool mayMissLabels = false,
        IReadOnlyList<nn.Module<Tensor, Tensor>>? projections = null)
    {
        using var scope = NewDisposeScope();
        var leaves = student.Tensors.Select(t => t.detach().clone().requires_grad_(true)).ToList();
        var value = loss.Evaluate(new LossInputs(student.Make(leaves), teacher?.Make(teacher.Tensors), labels, weights, mayMissLabels)
        {
            Projections = loss.Terms.ToDictionary(t => t.Loss, _ => projections ?? []),
        });
        Assert.That(value.dim(), Is.Zero, "a loss is a scalar");
        if (value.requires_grad)
            value.backward();
        return (value.to(float64).item<double>(), [.. leaves.Select(l => l.grad is { } gradient ? Near.Values(gradient) : new double[l.numel()])]);
    }

    private static Tensor Normal(ulong seed, double scale, ScalarType type, params long[] shape)
    {
        using var generator = new Generator(seed);
        using var noGrad = no_grad();
        return empty(shape, dtype: ScalarType.Float64).normal_(0, scale, generator).to(type);
    }
}

/// <summary>Tensors and how they make the outputs of a network.</summary>
internal sealed record Outputs(IReadOnlyList<Tensor> Tensors, Func<IReadOnlyList<Tensor>, NetworkOutput> Make)
{
    public static Outputs EndingInLogits(Tensor logits) => LossProbe.Logits([logits]);

    public static Outputs OfEmbedding(Tensor embedding) => new([embedding], LossProbe.Embedding);

    public static Outputs OfStages(params Tensor[] stages) => new(stages, LossProbe.Stages);
}
