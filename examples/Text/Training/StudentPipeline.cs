using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace TextExample.Training;

/// <summary>The student: a small network over the hashed words and word pairs that say most about the class.</summary>
internal sealed class StudentPipeline(MLContext mlContext, int seed)
{
    // Many hash values, so that few words share one; then only the most informative are kept, and the network stays small. Nothing stores a word.
    private const int HashBits = 15;
    private const int Kept = 1024;

    private static readonly NetworkSpec Network = NetworkSpec.Mlp(16);

    /// <param name="classColumnName">The class that words are selected for: a label, or a teacher's answer.</param>
    public IEstimator<ITransformer> Features(string classColumnName) =>
        mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(mlContext.Transforms.Text.ProduceHashedWordBags("Hashed", "Text", numberOfBits: HashBits, ngramLength: 2))
            .Append(mlContext.Transforms.FeatureSelection.SelectFeaturesBasedOnMutualInformation("Words", "Hashed", labelColumnName: classColumnName, slotsInOutput: Kept));

    public DistillationTrainer Trainer(Teacher? teacher, IProgress<TrainingProgress>? progress = null) =>
        mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = teacher,
            Student = Network,
            Method = teacher is null ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(),
            LabelColumnName = "Class",
            FeatureColumnName = "Words",
            // Labels are needed to train alone; the teacher also answers for messages without one.
            MissingLabels = teacher is null ? MissingLabels.Error : MissingLabels.TeacherOnly,
            Seed = seed,
            Progress = progress,
            CancellationToken = Interruption.Token,
        });
}
