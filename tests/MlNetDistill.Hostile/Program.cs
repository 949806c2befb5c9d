using MlNetDistill.Hostile;

return CommandLine.Run(Commands.Root(), args);
