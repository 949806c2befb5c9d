using MlNetDistill.Losses;
using MlNetDistill.Networks;


namespace MlNetDistill.Methods;

/// <summary>α · CE + (1 - α) · KD + β · CC (Peng et al. 2019).</summary>
internal sealed record CckdMethod(CorrelationKernel Kernel, double Alpha, double Beta, double Temperature, WithoutEmbedding WithoutEmbedding) : DistillationMethod
{
    public override string Name => "CCKD";

    public override OutputKinds TeacherNeeds =>
        OutputKinds.Logits | (WithoutEmbedding == WithoutEmbedding.UseLogits ? OutputKinds.None : OutputKinds.Embedding);

    public override bool CanUseWeights => false;

    public override IEnumerable<string> Faults()
    {
        foreach (var fault in SettingFaults.Share("CCKD's alpha", Alpha)
            .Concat(SettingFaults.AtLeast0("CCKD's beta", Beta))
            .Concat(SettingFaults.Above0("CCKD's temperature", Temperature)))
        {
            yield return fault;
        }

        if (!Enum.IsDefined(WithoutEmbedding))
            yield return $"WithoutEmbedding has no value {WithoutEmbedding}.";
    }

    public override IEnumerable<Stage> Stages(MethodContext context)
    {
        var embeds = context.Teacher?.Provides.HasFlag(OutputKinds.Embedding) == true;
        if (!embeds && WithoutEmbedding == WithoutEmbedding.Refuse)
        {
            throw new InvalidOperationException(
                "CCKD compares embeddings, and this teacher gives none. Set withoutEmbedding to WithoutEmbedding.UseLogits to compare logits, or use a teacher that is a network.");
        }

        if (!embeds)
            context.Note("CCKD: the teacher gives no embeddings; the correlations are those of the logits.");
        yield return context.Stage(
            Name,
            (Alpha * new CrossEntropyLoss())
            + ((1 - Alpha) * new KdLoss(Temperature))
            + (Beta * new CorrelationCongruenceLoss(Kernel, embeds ? OutputKinds.Embedding : OutputKinds.Logits)));
    }
}
