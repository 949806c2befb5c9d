using System.CommandLine;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>What the command line asks for; what its command does not take is 0 or null.</summary>
internal sealed record Arguments(
    string DataSet, string Data, int Seeds, int Hidden, string Teacher, double Seconds, string Kind, int Threads, double Temperature, double Alpha, bool HeldOut,
    int Rows, int Rounds, int Epochs, int Batch, int Depth, TrainingPrecision Precision)
{
    public static RootCommand Command()
    {
        var dataSet = new Argument<string>("data set").AcceptOnlyFromAmong("letter", "fashion");
        var data = Option("--data", ".", "folder with letter-recognition/ and fashion-mnist/");
        var seeds = Option("--seeds", 3, "students of each method");
        var hidden = Option("--hidden", 128, "width of the hidden layer of letter's student");
        var teacher = Option("--teacher", "network", "what teaches").AcceptOnlyFromAmong("network", "fasttree");
        var seconds = Option("--seconds", 6.0, "time to measure for");
        var kind = Option("--kind", "plain", "labels alone, or the method").AcceptOnlyFromAmong("plain", "kd", "dist", "cckd", "rco", "sskd");
        var threads = Option("--threads", 2, "threads of a tensor operation");
        var oneThread = Option("--threads", 1, "threads of a tensor operation");
        var temperature = Option("--temperature", 4.0, "of KD");
        var alpha = Option("--alpha", 0.9, "weight of KD's divergence");
        var heldOut = new Option<bool>("--held-out") { Description = "train on four fifths of the training rows and measure on the rest, to choose settings by" };
        var rows = Option("--rows", 1_000_000, "train on the first rows only");
        var rounds = Option("--rounds", 7, "measurements");
        var epochs = Option("--epochs", 0, "epochs of teacher and student; 0 for the pair's own");
        var batchSize = Option("--batch", 128, "rows of a step");
        var depth = Option("--depth", 8, "depth of fashion's student, a ResNet: 8, 14, 20, …");
        var precision = Option("--precision", TrainingPrecision.Float32, "precision of the students' training; a teacher's is Float32 for 'accuracy'");
        var networks = Several("--networks", ["mlp", "resnet8", "resnet20"], "pairs of networks", [.. Workload.All.Select(w => w.Name)]);
        var kinds = Several("--kinds", ["plain", "kd", "kd-live"], "trainings", [.. OurLoop.Kinds]);
        var batches = Several("--batches", ["128", "1024"], "rows of a step", "128", "256", "512", "1024");
        var threadCounts = Several("--threads", ["1", "2"], "threads of a tensor operation", "1", "2", "4", "8", "16");
        var warmUp = Option("--warm-up", 5.0, "seconds of training before a measurement");
        var python = Option("--python", "python3", "a Python that may have PyTorch");
        var folder = Option("--out", "artifacts/compare", "where compare.json and compare.md go");

        return new RootCommand("Measures accuracy and costs; what begins with none of these commands goes to BenchmarkDotNet.")
        {
            CreateCommand("accuracy", "Trains the pair and prints test figures.", Accuracy.Run, dataSet, data, seeds, hidden, teacher, temperature, alpha, heldOut, threads, rows, epochs, precision),
            CreateCommand(
                "precision", "Trains the student on labels alone, and prints accuracy, agreement and size in each precision.", StoredPrecision.Run, dataSet, data, seeds, hidden, threads, rows),
            CreateCommand("speed", "Prints rows trained on in a second.", Speed.Run, dataSet, data, hidden, seconds, kind, threads, rows, batchSize, depth, precision),
            CreateCommand(
                "cache", "What training from a teacher cache costs against training on labels alone, and building the cache against querying the teacher once.",
                CacheCost.Run, dataSet, data, hidden, rounds, oneThread, rows),
            CreateCommand("step-check", "What it costs to check each step of a small perceptron for values that are not finite, and to measure gradients and logits.", StepCheckCost.Run, rounds, oneThread),
            CreateCommand("checkpoint", "What a checkpoint after every epoch costs: the time to save it beside the time of the epoch.", CheckpointCost.Run, rounds, oneThread, rows),
            CreateCommand("round", "What a round of MetaDistil costs against a step of KD with a teacher that is queried in each step.", RoundCost.Run, rounds, oneThread),
            Compare(),
            Measure(),
            RowsInFile(),
            CreateCommand("scoring", "Rows scored in a second: ML.NET's own chain, in batches, and ONNX Runtime alone; JSON.", ScoringSpeed.Run, rounds),
            CreateCommand("cost", "What a head of 1000 classes over 2048 features costs: µs a row, bytes of the zip, bytes of memory.", Cost.Run, rounds),
            MemoryUse.Command(),
            ManyFits.Command(),
            Soak.Command(),
        };

        Command Compare()
        {
            var command = new Command("compare", "Trains with this library, with a loop in TorchSharp and with one in PyTorch, in turns; other methods in turns with KD.")
            {
                networks, kinds, batches, threadCounts, rounds, warmUp, seconds, python, folder,
            };
            command.SetAction(given => new Comparison(given.GetValue(rounds), given.GetValue(warmUp), given.GetValue(seconds), given.GetValue(python)!).Run(
                [
                    .. from network in given.GetValue(networks)!
                       from kind in given.GetValue(kinds)!
                       from batch in given.GetValue(batches)!
                       from threads in given.GetValue(threadCounts)!
                       select new Cell(Workload.Find(network), kind, Number(batch), Number(threads)),
                ],
                given.GetValue(folder)!));
            return command;
        }

        Command Measure()
        {
            var side = new Argument<string>("side").AcceptOnlyFromAmong(Contender.Ours, Contender.TorchSharp);
            var network = new Argument<string>("network");
            var training = new Argument<string>("training");
            var batch = new Argument<int>("batch");
            var count = new Argument<int>("threads");
            var before = new Argument<double>("warm-up");
            var length = new Argument<double>("seconds");
            var command = new Command("measure", "What 'compare' starts for each measurement.") { side, network, training, batch, count, before, length };
            command.SetAction(given => new Contender(given.GetValue(side)!, given.GetValue(training)!).Measure(
                given.GetValue(network)!, given.GetValue(batch), given.GetValue(count), given.GetValue(before), given.GetValue(length)));
            return command;
        }

        Command RowsInFile()
        {
            var count = new Option<long>("--rows") { Description = "generated rows", DefaultValueFactory = _ => 100_000 };
            var images = new Option<bool>("--images") { Description = "images of 3x32x32 bytes for a ResNet-8, not vectors of floats for a perceptron" };
            var length = Option("--length", 1000, "length of the vectors");
            var limit = new Option<long>("--limit") { Description = "bytes of features in memory; -1 for no limit", DefaultValueFactory = _ => -1 };
            var epochs = Option("--epochs", 3, "passes over the rows");
            var command = new Command("rows", "Rows trained on in a second, and the most memory, with rows in memory or in a file.") { count, images, length, limit, epochs, oneThread };
            command.SetAction(given => RowsCost.Run(
                given.GetValue(count), given.GetValue(images), given.GetValue(length), given.GetValue(limit), given.GetValue(epochs), given.GetValue(oneThread)));
            return command;
        }

        Command CreateCommand(string name, string description, Action<Arguments> run, params Symbol[] takes)
        {
            var command = new Command(name, description);
            foreach (var argument in takes.OfType<Argument>())
                command.Add(argument);
            foreach (var option in takes.OfType<Option>())
                command.Add(option);
            command.SetAction(given => run(new Arguments(
                given.GetValue(dataSet)!, given.GetValue(data)!, given.GetValue(seeds), given.GetValue(hidden), given.GetValue(teacher)!, given.GetValue(seconds),
                given.GetValue(kind)!, given.GetValue(takes.Contains(oneThread) ? oneThread : threads), given.GetValue(temperature), given.GetValue(alpha),
                given.GetValue(heldOut), given.GetValue(rows), given.GetValue(rounds), given.GetValue(epochs), given.GetValue(batchSize), given.GetValue(depth), given.GetValue(precision))));
            return command;
        }
    }

    private static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static Option<string[]> Several(string name, string[] otherwise, string description, params string[] among) =>
        new Option<string[]>(name) { Description = description, DefaultValueFactory = _ => otherwise, AllowMultipleArgumentsPerToken = true }.AcceptOnlyFromAmong(among);

    private static Option<T> Option<T>(string name, T otherwise, string description) => new(name) { Description = description, DefaultValueFactory = _ => otherwise };
}
