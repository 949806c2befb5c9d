using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>MetaDistil (Zhou et al., ACL 2022): KD from a copy of the teacher that learns to teach.</summary>
internal sealed record MetaDistilMethod(MetaDistilOptions Options) : DistillationMethod
{
    public override string Name => "MetaDistil";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override bool TrainsTeacher => true;

    internal override DistillationMethod WithDefaults(KdDefaults defaults) =>
        new MetaDistilMethod(Options with { Temperature = Options.Temperature ?? defaults.Temperature, Alpha = Options.Alpha ?? defaults.Alpha });

    public override IEnumerable<string> Validate() => Options.Validate();

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var (alpha, temperature) = (Options.Alpha ?? context.Defaults.Alpha, Options.Temperature ?? context.Defaults.Temperature);
        // The squares are those of the logits divided by the temperature.
        var soft = Options.SoftLoss == MetaDistilLoss.Divergence ? new KdLoss(temperature) : 1 / (temperature * temperature) * new LogitMatchingLoss();
        yield return new BilevelStage(context.Stage(Name, ((1 - alpha) * context.LabelLoss) + (alpha * soft)), Options.TeacherOptimizer, Options.PilotLearningRate)
        {
            QuizShare = Options.QuizShare,
            QuizBatches = Options.QuizBatches,
            BatchesPerRound = Options.BatchesPerRound,
            TeacherSchedule = Options.TeacherSchedule,
            FixedTeacherEpochs = (int)(context.Epochs * Options.FixedTeacherShare),
            QuizLoss = context.LabelLoss,
        };
    }
}
