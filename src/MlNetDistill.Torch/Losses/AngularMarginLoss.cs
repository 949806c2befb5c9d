using MlNetDistill.Core;
using MlNetDistill.Networks;
using static System.FormattableString;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// A classifier of embeddings by angle, for training alone: mean over labelled rows of the cross-entropy of scale · c, where c are the cosines of a row's embedding with
/// a trained direction for each class, and a margin makes the cosine of the true class smaller. The directions are trained with the student and thrown away after:
/// what remains are embeddings in which rows of one class are close. <see cref="ArcFaceLoss"/> and <see cref="CosFaceLoss"/> differ in the margin.
/// </summary>
/// <remarks>
/// It reads labels and no teacher. Add it to a loss of the teacher's embeddings, <c>new MimicLoss() + 0.01 * new ArcFaceLoss(classes)</c>: at scale 64 its value is
/// tens of times that of <see cref="MimicLoss"/>.
/// </remarks>
public abstract class AngularMarginLoss : DistillationLoss
{
    private protected AngularMarginLoss(int classes, double scale, double margin, double mostMargin)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        if (!(scale > 0 && double.IsFinite(scale)))
            throw new ArgumentOutOfRangeException(nameof(scale), Invariant($"The scale of the cosines must be above 0. It was {scale}."));
        if (!(margin >= 0 && margin < mostMargin))
            throw new ArgumentOutOfRangeException(nameof(margin), Invariant($"The margin must be at least 0 and below {mostMargin:0.##}. It was {margin}."));
        (Classes, Scale, Margin) = (classes, scale, margin);
    }

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.None;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.Embedding;

    /// <inheritdoc/>
    public override bool NeedsHardLabels => true;

    /// <summary>Number of classes K.</summary>
    public int Classes { get; }

    /// <summary>The factor of the cosines.</summary>
    public double Scale { get; }

    /// <summary>The margin of the true class.</summary>
    public double Margin { get; }

    /// <summary>
    /// The cosines of every embedding with every class, B×K, clamped to [-1, 1] as insightface does (recognition/arcface_torch/partial_fc_v2.py); what is clamped gets
    /// no gradient.
    /// </summary>
    /// <param name="embedding">B×D.</param>
    /// <param name="directions">One row for each class, K×D, of any length.</param>
    /// <exception cref="ArgumentException">One is not a matrix, or the widths differ.</exception>
    public static Tensor Cosines(Tensor embedding, Tensor directions)
    {
        Guard.Rank(embedding, 2, "rows×values", nameof(embedding));
        Guard.Rank(directions, 2, "classes×values", nameof(directions));
        if (embedding.shape[1] != directions.shape[1])
            throw new ArgumentException($"The embeddings have {embedding.shape[1]} values, the directions of the classes {directions.shape[1]}. Give both the same number.", nameof(directions));
        return embedding.NormalizeRows().mm(directions.NormalizeRows().t()).Clamp(-1.0, 1.0);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
        [new ClassDirections(Classes, RowFeatures.Length(student, ModelOutputs.Embedding, this), generator)];

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var cosines = inputs.ProjectionsFor(this)[0].call(inputs.Student.Embedding);
        return inputs.MeanOverLabelled(ComputePerRow(ScaledLogits(cosines, inputs.Labels), inputs.Labels));
    }

    /// <summary>The cosines of the true classes with their margin.</summary>
    private protected abstract Tensor ApplyMargin(Tensor cosines);

    /// <summary>The mean over labelled rows, for given directions; 0 if no row has a label.</summary>
    private protected Tensor MeanOverRows(Tensor embedding, Tensor directions, Tensor labels)
    {
        var cosines = Cosines(embedding, directions);
        Guard.Labels(labels, cosines);
        var inputs = new LossInputs(new NetworkOutput(embedding: embedding), null, labels, hasMissingLabels: true);
        return inputs.MeanOverLabelled(ComputePerRow(ScaledLogits(cosines, labels), labels));
    }

    /// <summary>Scale · cosines, with the margin where the label is.</summary>
    internal Tensor ScaledLogits(Tensor cosines, Tensor labels)
    {
        // A missing label is none of the classes, so its row has no margin.
        var isLabel = TensorArithmetic.Range(cosines.shape[1], cosines.device).eq(labels.unsqueeze(1));
        return where(isLabel, ApplyMargin(cosines), cosines).MultiplyBy(Scale);
    }

    private static Tensor ComputePerRow(Tensor logits, Tensor labels) => functional.nll_loss(functional.log_softmax(logits, 1), labels, null, Reduction.None);
}
