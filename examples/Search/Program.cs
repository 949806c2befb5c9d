using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using SearchExample;
using TorchSharp;

return CommandLine.Run(Settings.Command(Run), args);

static void Run(Settings settings)
{
    // A perceptron's steps are so small that several threads would wait for each other longer than they compute.
    torch.set_num_threads(1);
    var mlContext = new MLContext(seed: 1);
    // If the folder cannot be written, fail now and not after the search.
    Directory.CreateDirectory(settings.Out);
    var train = mlContext.Data.LoadFromEnumerable(GeneratedRow.Draw(settings.Quick ? 2000 : 8000, seed: 1));

    var steps = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label");
    var trees = mlContext.MulticlassClassification.Trainers.OneVersusAll(
        mlContext.BinaryClassification.Trainers.FastTree("Class", numberOfLeaves: 16, numberOfTrees: settings.Quick ? 30 : 100), "Class");
    var trainer = mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
    {
        // Fitted in the search on the rows that are not held out, so that the rows that judge are new to it too.
        Teacher = Teacher.FromEstimator(trees),
        Student = NetworkSpec.Mlp(64),
        LabelColumnName = "Class",
        Seed = 1,
        CancellationToken = Interruption.Token,
    });

    if (settings.Folder is not null)
        Interruption.HowToGoOn = "Finished trainings are kept: the same command goes on from there.";
    var result = LiveLeaderboard.Show(progress => trainer.Search(train, steps, new SearchOptions
    {
        Goal = settings.Smallest ? SearchGoal.SmallestStudent(keeps: 0.98) : SearchGoal.Accuracy(),
        Trials = settings.Quick ? 9 : 16,
        Folder = settings.Folder,
        Progress = progress,
    }));

    Console.WriteLine(result);
    mlContext.Model.SaveAtomically(result.Pipeline, train.Schema, "student.zip");
    result.SaveReport(settings.Out);
    Console.WriteLine($"Wrote student.zip, {Path.Combine(settings.Out, "search.html")} and {Path.Combine(settings.Out, "search.json")}.");
}
