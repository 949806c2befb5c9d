using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>α · CE + (1 - α) · KD + β · CC (Peng et al. 2019).</summary>
internal sealed record CckdMethod(
    CorrelationKernel Kernel, double Alpha, double Beta, [property: WhenNull(KdDefaults.Text)] double? Temperature, MissingEmbedding MissingEmbedding) : DistillationMethod
{
    public override string Name => "CCKD";

    public override ModelOutputs TeacherNeeds =>
        ModelOutputs.Logits | (MissingEmbedding == MissingEmbedding.UseLogits ? ModelOutputs.None : ModelOutputs.Embedding);

    public override bool CanUseWeights => false;

    internal override DistillationMethod WithDefaults(KdDefaults defaults) => this with { Temperature = Temperature ?? defaults.Temperature };

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Share("CCKD's alpha", Alpha),
        .. Faults.AtLeast0("CCKD's beta", Beta),
        .. Faults.Above0("CCKD's temperature", Temperature),
        .. Faults.Defined("CCKD's missingEmbedding", MissingEmbedding),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var embeds = context.Teacher?.Provides.HasFlag(ModelOutputs.Embedding) == true;
        if (!embeds && MissingEmbedding == MissingEmbedding.Throw)
        {
            throw new InvalidOperationException(
                "CCKD compares embeddings, and this teacher gives none. Set missingEmbedding to MissingEmbedding.UseLogits to compare logits, or use a teacher that is a network.");
        }

        if (!embeds)
            context.Note("CCKD: the teacher gives no embeddings; the correlations are those of the logits.");
        yield return context.Stage(
            Name,
            (Alpha * context.LabelLoss)
            + ((1 - Alpha) * new KdLoss(Temperature ?? context.Defaults.Temperature))
            + (Beta * new CorrelationCongruenceLoss(Kernel, embeds ? ModelOutputs.Embedding : ModelOutputs.Logits)));
    }
}
