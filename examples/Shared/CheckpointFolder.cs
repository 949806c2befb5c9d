namespace Examples;

/// <summary>The folder of --checkpoints: each training of a program saves its state in a folder of its own in it, and the same command goes on there.</summary>
internal sealed class CheckpointFolder
{
    private const int MostNames = 4;

    private readonly string? _path;

    private CheckpointFolder(string? path) => _path = path;

    /// <summary>Opens the folder, and says whether the program goes on there.</summary>
    /// <param name="path">The option's value; null if it was not given, so that nothing is saved.</param>
    public static CheckpointFolder Open(string? path)
    {
        if (path is not null)
        {
            if (Directory.Exists(path) && Directory.GetDirectories(path) is [_, ..] trainings)
                Console.WriteLine($"Goes on from the checkpoints in '{path}' ({Describe(trainings)}).");
            Interruption.HowToGoOn = $"What was trained is kept in '{path}': the same command goes on from there.";
        }

        return new CheckpointFolder(path);
    }

    /// <summary>The checkpoint directory of one training; null if the option was not given.</summary>
    /// <param name="training">Its name, which no other training of the program has.</param>
    public string? Of(string training) => _path is null ? null : Path.Combine(_path, string.Join('_', training.Split(Path.GetInvalidFileNameChars())));

    private static string Describe(string[] trainings) =>
        trainings.Length > MostNames ? $"{trainings.Length} trainings" : string.Join(", ", trainings.Select(Path.GetFileName).Order());
}
