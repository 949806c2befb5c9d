using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// Hints (Romero et al. 2015, FitNets): the mean over pairs of taps of mean (r(f_s) - f_t)², the mean squared error of a regressed stage feature
/// as mdistiller (distillers/FitNet.py) and RepDistiller compute it; the paper has half the sum for each row, another factor.
/// </summary>
/// <remarks>
/// mdistiller and RepDistiller weigh it by 100 beside a cross-entropy of weight 1. The regressor r is mdistiller's ConvReg: convolution with bias, batch normalisation, ReLU, its stride and kernel by the ratio of sizes. It is
/// there only where shapes differ. For vectors, and where the student's map is smaller but not by half, mdistiller has no regressor: ours are a
/// matrix with bias, and a 1×1 convolution beside the average-pooled teacher.
/// </remarks>
public sealed class HintLoss : DistillationLoss
{
    /// <summary>The loss on these pairs of taps, for example <c>new HintLoss((1, 1))</c>.</summary>
    /// <param name="taps">Indices of the stage features, from 0: the student's and the teacher's.</param>
    public HintLoss(params (int Student, int Teacher)[] taps) => Taps = TapPairs.Validate(taps, nameof(taps));

    /// <inheritdoc/>
    public override string Name => "hint";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

    /// <summary>The pairs of taps.</summary>
    public IReadOnlyList<(int Student, int Teacher)> Taps { get; }

    /// <summary>Mean (student - teacher)² over all elements.</summary>
    /// <param name="student">Regressed features of the student, B×….</param>
    /// <param name="teacher">Features of the teacher, of the same shape; a constant, no gradient flows to it.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor SquaredError(Tensor student, Tensor teacher)
    {
        Guard.SameShape(student, teacher);
        return functional.mse_loss(student, teacher.detach());
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        var regressors = new List<nn.Module<Tensor, Tensor>>();
        foreach (var (from, to) in TapPairs.Select(Taps, student.StageFeatures, teacher.StageFeatures, this))
        {
            TapFeatures.CheckSameKind(from, to, this);
            if (from.AsSpan().SequenceEqual(to))
                continue;
            regressors.Add(from.Length == 1 ? FeatureAdapter.Linear(from[0], to[0], true, generator) : FeatureAdapter.Regressor(from, to, generator));
        }

        return regressors;
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var errors = new List<Tensor>();
        var used = 0;
        foreach (var (from, to) in TapPairs.Select(Taps, inputs.Student.StageFeatures, inputs.Teacher.StageFeatures, this))
        {
            var (student, teacher) = (from, to);
            if (!TapFeatures.HaveSameShape(student, teacher))
                (student, teacher) = TapFeatures.PoolToSameSize(inputs.ProjectionsFor(this)[used++].call(student), teacher);
            errors.Add(inputs.Weights is null
                ? SquaredError(student, teacher)
                : inputs.Mean(StageFeatureLoss.PerRow(student, teacher, FeatureReduction.Mean)));
        }

        return errors.Count == 1 ? errors[0] : errors.Aggregate((a, b) => a.Add(b)).DivideBy(errors.Count);
    }
}
